import type { Resolver } from 'node:dns/promises'

/** Where somebody listens. */
export interface Endpoint {
  readonly host: string
  readonly port: number
}

/** What is known of a name after a look-up. */
export interface Known {
  readonly places: readonly Endpoint[]
  /** Whether DNS has answered anything: that there is nothing is an answer too. */
  readonly isAnswered: boolean
  /** Seconds for which the answer stands. Undefined: nobody says. */
  readonly ttl: number | undefined
  /** The first failure, if there was one. */
  readonly trouble: NodeJS.ErrnoException | undefined
}

/** A name in DNS, and what it led to when it was last looked up. A question that fails keeps its last answer. */
export class DnsName {
  readonly #name: string
  readonly #port: number | undefined
  #answers: ReadonlyMap<string, readonly Row[]> = new Map()

  /** Without a port the name is one of SRV records. */
  constructor(name: string, port: number | undefined) {
    this.#name = name
    this.#port = port
  }

  /** Asks once more. Never rejects; what is asked when the signal aborts fails. */
  async lookUp(resolver: Resolver, signal: AbortSignal): Promise<Known> {
    const cancel = () => resolver.cancel()
    signal.addEventListener('abort', cancel)
    try {
      return await this.#lookUp(new Round(resolver, this.#answers, signal))
    } finally {
      signal.removeEventListener('abort', cancel)
    }
  }

  async #lookUp(round: Round): Promise<Known> {
    const places =
      this.#port === undefined ? await services(round, this.#name) : await hosts(round, this.#name, this.#port)
    this.#answers = round.answers
    const { isAnswered, ttl, trouble } = round
    return { places, isAnswered, ttl, trouble }
  }
}

async function hosts(round: Round, name: string, port: number): Promise<readonly Endpoint[]> {
  const addresses = await round.addresses(name)
  return (addresses ?? []).map((host) => ({ host, port }))
}

async function services(round: Round, name: string): Promise<readonly Endpoint[]> {
  const targets = (await round.targets(name)).filter(isUsable)
  const names = [...new Set(targets.map(({ host }) => host))]
  const addresses = new Map(await Promise.all(names.map(async (one) => [one, await round.addresses(one)] as const)))
  return targets.flatMap(({ host, port }) => {
    const known = addresses.get(host)
    // A name that DNS does not know may be one that the machine knows: it stands for itself.
    const all = known?.length === 0 ? [host] : (known ?? [])
    return all.map((one) => ({ host: one, port }))
  })
}

/** A target of `.` says that there is no such service (RFC 2782), and anything may stand in a name. */
function isUsable({ host, port }: Endpoint): boolean {
  return port > 0 && host.length <= 253 && /^[\w-]{1,63}([.][\w-]{1,63})*$/.test(host)
}

/** A line of an answer. Port or TTL is 0 or undefined where there is none. */
interface Row extends Endpoint {
  readonly ttl?: number
}

/** What tells a name that DNS does not have from a failure. */
const NONE: ReadonlySet<string | undefined> = new Set(['ENOTFOUND', 'ENODATA'])

/** The questions of one look-up. */
class Round {
  /** What is known by now, failed questions with their last answers. */
  readonly answers = new Map<string, readonly Row[]>()
  isAnswered = false
  ttl: number | undefined
  trouble: NodeJS.ErrnoException | undefined
  readonly #resolver: Resolver
  readonly #before: ReadonlyMap<string, readonly Row[]>
  readonly #signal: AbortSignal

  constructor(resolver: Resolver, before: ReadonlyMap<string, readonly Row[]>, signal: AbortSignal) {
    this.#resolver = resolver
    this.#before = before
    this.#signal = signal
  }

  /** The addresses of a host; undefined if DNS never said anything of it. */
  async addresses(name: string): Promise<readonly string[] | undefined> {
    const [four, six] = await Promise.all([
      this.#ask(`A ${name}`, async () => (await this.#resolver.resolve4(name, { ttl: true })).map(toRow)),
      this.#ask(`AAAA ${name}`, async () => (await this.#resolver.resolve6(name, { ttl: true })).map(toRow)),
    ])
    if (four === undefined && six === undefined) return undefined
    return [...(four ?? []), ...(six ?? [])].map(({ host }) => host)
  }

  /** The hosts and ports of a service. node:dns does not tell the TTL of these. */
  async targets(name: string): Promise<readonly Endpoint[]> {
    const rows = await this.#ask(`SRV ${name}`, async () =>
      (await this.#resolver.resolveSrv(name)).map((one) => ({ host: one.name, port: one.port })),
    )
    return rows ?? []
  }

  async #ask(question: string, asked: () => Promise<readonly Row[]>): Promise<readonly Row[] | undefined> {
    const rows = await this.#answer(question, asked)
    if (rows !== undefined) this.answers.set(question, rows)
    return rows
  }

  async #answer(question: string, asked: () => Promise<readonly Row[]>): Promise<readonly Row[] | undefined> {
    if (this.#signal.aborted) return undefined
    try {
      const rows = await asked()
      this.isAnswered = true
      const ttls = rows.flatMap(({ ttl }) => ttl ?? [])
      if (ttls.length > 0) this.ttl = Math.min(...ttls, this.ttl ?? Number.POSITIVE_INFINITY)
      return rows
    } catch (error) {
      const failure = error as NodeJS.ErrnoException // node:dns rejects with nothing else
      if (!NONE.has(failure.code)) {
        this.trouble ??= failure
        return this.#before.get(question)
      }
      this.isAnswered = true
      return []
    }
  }
}

function toRow({ address, ttl }: { readonly address: string; readonly ttl: number }): Row {
  return { host: address, port: 0, ttl }
}
