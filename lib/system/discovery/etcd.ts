import type { EtcdDiscovery } from '../system.js'
import { type EtcdAccess, EtcdClient } from './etcd-client.js'
import { EtcdEntry } from './etcd-entry.js'
import { EtcdView } from './etcd-view.js'
import type { Provider } from './provider.js'
import { begun, type Repeated, repeated } from './repeated.js'
import { stubborn } from './stubborn.js'
import { timeLimit } from './time-limit.js'
import { Trouble } from './trouble.js'

/** How long closing waits for etcd to forget this process, in ms: the lease ends anyway. */
const REVOKE_MS = 1000

/**
 * Writes this process into etcd, for as long as it gives signs of life, and finds those who are written there. While etcd
 * is away, or refuses, the last addresses stand; when it has lost its data each process writes itself down again.
 */
export function etcdProvider({
  leaseMs,
  space,
  ...access
}: EtcdDiscovery & EtcdAccess & { readonly space: string }): Provider {
  const over = new AbortController()
  const client = new EtcdClient(access)
  let entry: EtcdEntry | undefined
  let all: readonly Repeated[] = []

  const close = async () => {
    over.abort()
    await Promise.all(all.map(({ ended }) => ended))
    const limit = timeLimit(new AbortController().signal, REVOKE_MS)
    await entry?.revoke(limit.signal).catch(() => {}) // its lease runs out
    limit.abort()
  }

  return {
    name: 'etcd',
    open: async ({ groups, self, found, log }) => {
      const trouble = new Trouble(log, 'etcd')
      const own = new EtcdEntry(client, {
        key: `lucilius/${space}/${self.group}/${self.instance}`,
        value: JSON.stringify({ url: self.url }),
        leaseMs,
      })
      entry = own
      const seen = (keys: ReadonlySet<string>) => {
        if (!keys.has(own.key)) own.lost()
      }
      const { signal } = over
      const keep = stubborn('entry', () => own.keep(signal), trouble, signal)
      const look = (group: string) => {
        const view = new EtcdView(client, space, group, {
          found: (urls, fresh) => groups.includes(group) && found(group, urls, fresh),
          seen: (keys) => group === self.group && seen(keys),
        })
        return stubborn(`view of ${group}`, () => view.look(leaseMs, signal), trouble, signal)
      }
      // Its own group tells a process whether its entry is still there.
      const looks = [...new Set([...groups, self.group])].map(look)
      all = [keep, ...looks].map((step) => repeated(step, signal))
      await begun(all)
    },
    close,
  }
}
