import { Announcing, type MulticastSettings, type Rhythm } from './announcing.js'
import type { Provider } from './provider.js'
import { RejectionCount, type Rejections } from './rejections.js'

const usual: Rhythm = { everyMs: 2000, warnMs: 60_000 }

/**
 * Announces this process to the network, and listens to what others announce: nobody has to know an address.
 *
 * Announcements are signed with the secret and hold for 30 s. Whatever else comes is ignored and counted. `open` rejects
 * with `LUC_OPTIONS_INVALID` for names that are too long to be announced.
 */
export function multicastProvider(
  settings: MulticastSettings,
  rhythm: Partial<Rhythm> = {},
): Provider & { rejected(): Rejections } {
  const rejections = new RejectionCount()
  let announcing: Announcing | undefined
  return {
    name: 'multicast',
    open: async (looking) => {
      announcing = new Announcing(settings, { ...usual, ...rhythm }, looking, rejections)
      await announcing.start()
    },
    close: async () => announcing?.close(),
    rejected: () => rejections.all(),
  }
}
