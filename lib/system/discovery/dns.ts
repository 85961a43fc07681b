import { Resolver } from 'node:dns/promises'
import { hostAndPort } from '../host-names.js'
import type { DnsDiscovery } from '../system.js'
import type { DirectName } from '../transports-used.js'
import { DnsName, type Endpoint } from './dns-name.js'
import type { Looking, Provider } from './provider.js'
import { begun, type Repeated, repeated } from './repeated.js'
import { Trouble } from './trouble.js'

/** Seconds after which a name is looked up again: at least, at most, and where DNS does not say for how long it stands. */
const [SHORTEST, LONGEST, USUAL] = [1, 30, 5]

/** How long a server has to answer at first, in ms; the second time it has twice as long. */
const ANSWER_MS = 1000

/**
 * Finds processes by names in DNS, looked up again when their TTL is over. While DNS does not answer the last addresses
 * stand; an answer that there are none is one. Others are told nothing: who runs the processes writes the names.
 */
export function dnsProvider(settings: DnsDiscovery, scheme: DirectName): Provider {
  const over = new AbortController()
  let all: readonly Repeated[] = []
  const close = async () => {
    over.abort()
    await Promise.all(all.map(({ ended }) => ended))
  }
  return {
    name: 'dns',
    open: async (looking) => {
      const trouble = new Trouble(looking.log, 'DNS')
      const look = (group: string) => lookUps({ settings, scheme, group, looking, trouble, signal: over.signal })
      all = looking.groups.map((group) => repeated(look(group), over.signal))
      await begun(all)
    },
    close,
  }
}

interface LookUps {
  readonly settings: DnsDiscovery
  readonly scheme: DirectName
  readonly group: string
  readonly looking: Looking
  readonly trouble: Trouble
  readonly signal: AbortSignal
}

/** Gives what looks up the name of a group, and says after how many milliseconds that is to be done again. */
function lookUps({ settings, scheme, group, looking, trouble, signal }: LookUps): () => Promise<number> {
  const known = new DnsName(settings.name.replaceAll('{group}', group), settings.port)
  let before: readonly string[] = []
  return async () => {
    const { places, isAnswered, ttl, trouble: failure } = await known.lookUp(resolverOf(settings), signal)
    if (signal.aborted) return 0
    if (failure === undefined) trouble.over(group)
    else trouble.met(group, String(failure.code), `DNS gives no answer, what is known stands: ${failure.message}`)
    if (isAnswered || places.length > 0) {
      const urls = [...new Set(places.map((one) => urlOf(one, scheme)))]
      const fresh = urls.filter((url) => !before.includes(url))
      before = urls
      looking.found(group, urls, fresh)
    }
    const seconds = isAnswered ? Math.min(LONGEST, ttl ?? USUAL) : SHORTEST
    return 1000 * Math.max(SHORTEST, seconds)
  }
}

/** A resolver for one look-up: which servers the machine has may have changed since the last. */
function resolverOf({ servers }: DnsDiscovery): Resolver {
  const resolver = new Resolver({ timeout: ANSWER_MS, tries: 2 })
  if (servers !== undefined) resolver.setServers(servers)
  return resolver
}

function urlOf({ host, port }: Endpoint, scheme: DirectName): string {
  const at = hostAndPort(host, port)
  return scheme === 'websocket' ? `ws://${at}/ws` : `http://${at}`
}
