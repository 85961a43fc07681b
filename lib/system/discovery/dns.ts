import { Resolver } from 'node:dns/promises'
import { hostAndPort } from '../host-names.js'
import { invalid } from '../invalid.js'
import type { DnsDiscovery } from '../system.js'
import type { DirectName } from '../transports-used.js'
import { DnsName, type Place } from './dns-name.js'
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
      try {
        await begun(all)
      } catch (error) {
        await close()
        throw error
      }
    },
    close,
  }
}

interface Asked {
  readonly settings: DnsDiscovery
  readonly scheme: DirectName
  readonly group: string
  readonly looking: Looking
  readonly trouble: Trouble
  readonly signal: AbortSignal
}

/** Gives what looks up the name of a group, and says after how many milliseconds that is to be done again. */
function lookUps({ settings, scheme, group, looking, trouble, signal }: Asked): () => Promise<number> {
  const name = settings.name.replaceAll('{group}', group)
  const known = new DnsName(name, settings.port)
  return async () => {
    const { places, isAnswered, ttl, trouble: failure } = await known.lookUp(resolverOf(settings), signal)
    if (signal.aborted) return 0
    if (failure?.code === 'EBADNAME') {
      throw invalid(
        `DNS has no name '${name}': a part of a name has 1 to 63 characters. Rename '${group}', or 'discovery.dns'.`,
      )
    }
    if (failure === undefined) trouble.over(group)
    else trouble.met(group, String(failure.code), `DNS gives no answer, what is known stands: ${failure.message}`)
    if (isAnswered || places.length > 0) looking.found(group, [...new Set(places.map((one) => urlOf(one, scheme)))])
    const seconds = isAnswered ? Math.min(LONGEST, ttl ?? USUAL) : SHORTEST
    return 1000 * Math.max(SHORTEST, seconds)
  }
}

/** A resolver for one look-up: which servers the machine has may have changed since the last. */
function resolverOf({ servers }: DnsDiscovery): Resolver {
  const resolver = new Resolver({ timeout: ANSWER_MS, tries: 2 })
  if (servers !== undefined) setServers(resolver, servers)
  return resolver
}

function setServers(resolver: Resolver, servers: readonly string[]): void {
  try {
    resolver.setServers(servers)
  } catch (error) {
    const example = 'such as 10.0.0.2 or 127.0.0.1:5353'
    throw invalid(
      `'discovery.dns.servers' has what is no address of a DNS server, ${example}: ${(error as Error).message}`,
    )
  }
}

function urlOf({ host, port }: Place, scheme: DirectName): string {
  const at = hostAndPort(host, port)
  return scheme === 'websocket' ? `ws://${at}/ws` : `http://${at}`
}
