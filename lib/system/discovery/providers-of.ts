import type { DirectName } from '../transports-used.js'
import type { EtcdAccess } from './etcd-client.js'
import type { Provider } from './provider.js'
import type { Source } from './sources.js'

/** What providers need to know beside where they look. */
export interface Looker {
  readonly transport: DirectName
  readonly space: string
  readonly secret: string
  /** Who asks etcd. */
  readonly etcd: { readonly user: string | undefined; readonly password: string | undefined } | undefined
}

/** What looks in each of these places, in the same order. Each is loaded when it is used. */
export function providersOf(sources: readonly Source[], looker: Looker): Promise<Provider[]> {
  return Promise.all(sources.map((source) => providerOf(source, looker)))
}

async function providerOf(source: Source, { transport, space, secret, etcd }: Looker): Promise<Provider> {
  switch (source.by) {
    case 'dns': {
      const { dnsProvider } = await import('./dns.js')
      return dnsProvider(source, transport)
    }
    case 'etcd': {
      const { etcdProvider } = await import('./etcd.js')
      return etcdProvider({ ...source, space, ...proofOf(etcd) })
    }
    case 'multicast': {
      const { multicastProvider } = await import('./multicast.js')
      return multicastProvider({ ...source, space, secret })
    }
  }
}

function proofOf({ user, password }: NonNullable<Looker['etcd']> = none): Pick<EtcdAccess, 'user' | 'password'> {
  return { ...(user === undefined ? {} : { user }), ...(password === undefined ? {} : { password }) }
}

const none = Object.freeze({ user: undefined, password: undefined })
