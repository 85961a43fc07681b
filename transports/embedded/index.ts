/**
 * Durable events in a folder on the disk of one process: no broker to run. For development, tests, and systems that are
 * one process.
 *
 * @module
 */
import { resolve } from 'node:path'
import {
  checkKeys,
  checkMilliseconds,
  DUPLICATES_MS,
  type EventStore,
  LuciliusError,
  type StoreHost,
} from '../../lib/transport-kit.js'
import { failed } from './failed.js'
import { hasNoStore } from './folder.js'
import { Instance } from './instance.js'
import { type Settings, SharedStore } from './shared-store.js'

/** Options of {@link embedded}. */
export interface EmbeddedOptions {
  /** The folder, for the store alone. It is made if it is not there. */
  readonly path: string
  /**
   * Whether `emit` waits until the event is on the disk itself, so that it survives a loss of power: true unless given.
   * Otherwise it survives the end of the process, and not that of the machine.
   */
  readonly sync?: boolean
  /** For how long a second event of the same id is taken for the first one, in ms: 2 minutes unless given. */
  readonly duplicatesMs?: number
}

/**
 * Makes a store in a folder, with the package `classic-level`. The apps of one process share it by sharing this object; a
 * second process is refused. Throws `LUC_OPTIONS_INVALID`.
 *
 * @example
 * ```ts
 * import { lucilius } from 'lucilius'
 * import { embedded } from 'lucilius/transports/embedded'
 *
 * const app = lucilius({ name: 'shop', store: embedded({ path: './data/events' }) })
 * await app.close()
 * ```
 */
export function embedded(options: EmbeddedOptions): EventStore {
  const settings = check(options)
  let users = 0
  let store: Promise<SharedStore> | undefined
  let closing: Promise<void> = Promise.resolve()
  const release = async () => {
    users--
    if (users > 0) return
    const last = store
    store = undefined
    closing = (last ?? Promise.reject()).then((open) => open.close()).catch(() => {})
    await closing
  }
  return {
    name: 'embedded',
    isEmpty: () => hasNoStore(settings.path),
    openStore: async (host: StoreHost) => {
      if (host.signal.aborted) throw failed(`The store in ${settings.path} was not opened: nobody waits for it.`)
      users++
      store ??= closing.then(() => SharedStore.open(settings, host.name, (...line) => host.log(...line)))
      try {
        return new Instance(await store, release)
      } catch (error) {
        await release()
        throw error
      }
    },
  }
}

function check(options: EmbeddedOptions): Settings {
  const known = checkKeys<EmbeddedOptions>('embedded', options, ['path', 'sync', 'duplicatesMs'])
  const { path, sync = true, duplicatesMs = DUPLICATES_MS } = known
  if (typeof path !== 'string' || path === '') {
    throw new LuciliusError(
      'LUC_OPTIONS_INVALID',
      "embedded: 'path' is the folder of the store, such as './data/events'.",
    )
  }
  if (typeof sync !== 'boolean') throw new LuciliusError('LUC_OPTIONS_INVALID', "embedded: 'sync' is true or false.")
  checkMilliseconds('embedded', 'duplicatesMs', duplicatesMs)
  return { path: resolve(path), sync, duplicatesMs }
}
