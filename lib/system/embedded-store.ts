import { existsSync } from 'node:fs'
import type { EventStore } from '../store.js'

/**
 * An embedded store in a folder. What it is made of is loaded when it is opened, or asked whether it holds anything: most
 * systems have nothing durable, and need no package for it. Several apps of this process may share it. Without `sync` it
 * survives the process, and not the machine.
 */
export function embeddedStore(path: string, { sync = true }: { readonly sync?: boolean } = {}): EventStore {
  let loaded: Promise<EventStore> | undefined
  const load = () => {
    loaded ??= import('../../transports/embedded/index.js').then(({ embedded }) => embedded({ path, sync }))
    return loaded
  }
  return {
    name: 'embedded',
    openStore: async (host) => (await load()).openStore(host),
    isEmpty: async () => !existsSync(path) || ((await (await load()).isEmpty?.()) ?? false),
  }
}
