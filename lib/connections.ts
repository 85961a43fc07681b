import { type Admission, credentials, toAdmission } from './admission.js'
import type { ConnectOptions, ListenOptions, PeerConnection } from './app.js'
import type { Auth, AuthRequest } from './auth.js'
import { LuciliusError } from './errors.js'
import type { Logger } from './logger.js'
import { checkKeys } from './option-checks.js'
import type { Settings } from './options.js'
import { toPattern } from './pattern.js'
import { Connector } from './peers/connector.js'
import { type Exposure, toExposure, toPatterns } from './peers/exposure.js'
import type { Peer, Terms } from './peers/peer.js'
import type { Accepted, Peers } from './peers/peers.js'
import { type Join, type Joined, Search, type Seeker } from './peers/search.js'
import { quieter } from './quieter.js'
import { newId } from './trace.js'
import type { Listener, Receiver, Transport } from './transport.js'

const CONNECT_KEYS = ['accept', 'expose', 'events', 'auth', 'patterns', 'wait']

/** The listeners and connections of an app. */
export class Connections {
  readonly #peers: Peers
  readonly #settings: Settings
  /** What connections that come and go are told to. */
  readonly #log: Logger
  readonly #listeners = new Map<Listener, Exposure>()
  readonly #connections = new Set<PeerConnection>()
  #closed = false
  /** How many connections, or others who may come, are not known yet. */
  learning = 0

  constructor(peers: Peers, settings: Settings, quiet = false) {
    this.#peers = peers
    this.#settings = settings
    this.#log = quiet ? quieter(settings.log) : settings.log
  }

  /** Reads the arguments of `listen`. Throws what is wrong with them, before anything is waited for. */
  check(transport: Transport, given: ListenOptions): Admission {
    checkTransport('listen', transport)
    return toAdmission(transport, given)
  }

  /** Opens a listener. */
  async listen(transport: Transport, given: ListenOptions): Promise<Listener> {
    const admission = this.check(transport, given)
    const listener = await transport.listen(this.#receiver(admission))
    const open: Listener = {
      url: listener.url,
      drain: () => listener.drain?.(),
      close: () => {
        this.#listeners.delete(open)
        return listener.close()
      },
    }
    if (this.#closed) {
      await listener.close()
      throw new LuciliusError('LUC_SERVICE_CLOSED', `${this.#settings.name} was closed before it listened.`)
    }
    this.#listeners.set(open, admission.exposure)
    this.#peers.warnOfIdleExposure(admission.exposure)
    this.#settings.log.info({ url: open.url, transport: transport.name }, 'listening')
    return open
  }

  /** Whether a listener or connection has not been closed yet. */
  isOpen(one: Listener | PeerConnection): boolean {
    return this.#listeners.has(one as Listener) || this.#connections.has(one as PeerConnection)
  }

  /** The open listeners and what they let in. */
  get listeners(): { readonly url: string; readonly exposure: Exposure }[] {
    return [...this.#listeners].map(([{ url }, exposure]) => ({ url, exposure }))
  }

  /** Opens a connection and keeps it. */
  async connect(transport: Transport, given: ConnectOptions = {}): Promise<PeerConnection> {
    checkTransport('connect', transport)
    const options = checkKeys<ConnectOptions>('connect', given, CONNECT_KEYS)
    const { patterns } = options
    checkKinds(options)
    const terms: Terms = {
      audience: 'peers',
      exposure: toExposure('connect', options.expose ?? [], options.events ?? { in: '*', out: '*' }),
      authorization: options.auth?.authorization,
      prove: options.auth?.prove,
      silent: patterns !== undefined,
    }
    const accept = toPatterns('connect.accept', options.accept ?? '*')
    const wait = options.wait !== false
    if (transport.discover !== undefined && patterns === undefined) {
      return this.#search(transport, (to, seeker) => this.#join(to, terms, accept, seeker), wait)
    }
    const peer = this.#peers.meet(terms, accept, undefined)
    if (patterns !== undefined) knowSilent(peer, transport, patterns)
    return this.#keep(transport, peer, wait)
  }

  /** Tells the listeners that the app drains. */
  drain(): void {
    for (const listener of this.#listeners.keys()) listener.drain?.()
  }

  /** Closes everything: connections first, so that nobody is sent away by a closing listener of ours. */
  async close(): Promise<void> {
    this.#closed = true
    const gone = await Promise.allSettled([...this.#connections].map((one) => one.close()))
    gone.push(...(await Promise.allSettled([...this.#listeners.keys()].map((one) => one.close()))))
    this.#peers.forgetAll()
    // All are closed, or have tried to.
    for (const one of gone) if (one.status === 'rejected') throw one.reason
  }

  #receiver({ audience, exposure, authenticate }: Admission): Receiver {
    const peers = this.#peers
    const { log } = this.#settings
    return {
      audience,
      get draining() {
        return peers.draining
      },
      anonymous: authenticate === undefined,
      authenticate: async (request) => {
        if (authenticate === undefined) return {}
        // Transports hand over requests as their libraries make them; all have headers.
        return credentials(authenticate, request as AuthRequest, (error) =>
          log.warn({ err: error }, 'authenticate failed'),
        )
      },
      accept: (connection, { identity }) => peers.meet({ audience, exposure, identity }, '*', connection),
    }
  }

  async #keep(transport: Transport, peer: Peer, wait: boolean): Promise<PeerConnection> {
    const connector = new Connector(transport, peer, this.#log)
    const connection: PeerConnection = {
      get peer() {
        return peer.known === undefined ? undefined : peer.info
      },
      close: async () => {
        this.#connections.delete(connection)
        this.#peers.forget(peer)
        await connector.close()
      },
    }
    await this.#open(transport, connection, connector.start(wait), wait)
    if (wait && this.#closed && peer.known === undefined) throw this.#closedEarly()
    return connection
  }

  /** Looks for everybody who listens, and keeps a connection to each. */
  async #search(transport: Transport, join: Join, wait: boolean): Promise<PeerConnection> {
    const search = new Search(transport, join, this.#settings.log)
    const connection: PeerConnection = {
      peer: undefined,
      close: async () => {
        this.#connections.delete(connection)
        await search.close()
      },
    }
    await this.#open(transport, connection, search.start(wait), wait)
    if (wait && this.#closed) throw this.#closedEarly()
    return connection
  }

  #closedEarly(): LuciliusError {
    return new LuciliusError('LUC_SERVICE_CLOSED', `${this.#settings.name} was closed before the peer was known.`)
  }

  /** Connects to somebody who was found. */
  #join(transport: Transport, terms: Terms, accept: Accepted, seeker: Seeker): Joined {
    const peer = this.#peers.meet(terms, accept, undefined)
    const { forgetMs } = this.#settings
    const connector = new Connector(transport, peer, this.#log, {
      ...seeker,
      patienceMs: forgetMs,
      ended: (why) => {
        this.#peers.forget(peer)
        seeker.ended(why)
      },
    })
    return {
      get instance() {
        return peer.connection === undefined ? undefined : peer.info.instance
      },
      known: connector.start(false),
      hurry: () => connector.hurry(),
      leave: () => connector.close(),
      close: async () => {
        this.#peers.forget(peer)
        await connector.close()
      },
    }
  }

  /** Until something settles, acts that nobody answers wait: who answers them may still come. Settles as that does. */
  expect(coming: Promise<void>): Promise<void> {
    this.learning++
    return coming.finally(() => {
      this.learning--
      this.#peers.learned()
    })
  }

  /** Keeps what was opened; until `known` resolves, acts that nobody answers wait. */
  async #open(transport: Transport, connection: PeerConnection, known: Promise<void>, wait: boolean): Promise<void> {
    this.#connections.add(connection)
    const learned = this.expect(known)
    // Whoever waits hears of it; without waiting the connection is as if it had never been asked for.
    learned.catch((error) => {
      if (!wait) this.#settings.log.error({ err: error, transport: transport.name }, 'could not connect, and gave up')
      void connection.close()
    })
    if (wait) await learned
  }
}

/** A peer that cannot tell answers what we were told it answers, as a service of its own. */
function knowSilent(peer: Peer, transport: Transport, patterns: ConnectOptions['patterns'] & object): void {
  const name = `${transport.name}-${newId()}`
  const actions = patterns.map((pattern) => ({ pattern: toPattern(pattern), service: name, idempotent: false }))
  peer.know({ name, instance: name, draining: false, starting: false, actions, subscriptions: [] })
}

function checkKinds({ auth, patterns, wait }: ConnectOptions): void {
  const wrong =
    auth !== undefined && !hasProof(auth)
      ? "'auth' is sharedSecret('…')"
      : patterns !== undefined && !Array.isArray(patterns)
        ? "'patterns' is a list of patterns"
        : wait !== undefined && typeof wait !== 'boolean'
          ? "'wait' is true or false"
          : undefined
  if (wrong !== undefined) throw new LuciliusError('LUC_OPTIONS_INVALID', `connect: ${wrong}.`)
}

function hasProof(auth: Partial<Auth> | null): boolean {
  const { authorization, prove } = auth ?? {}
  return typeof authorization === 'string' || (authorization === undefined && typeof prove === 'function')
}

function checkTransport(where: string, transport: unknown): void {
  const { name, listen, connect } = (transport ?? {}) as Partial<Transport>
  if (typeof name === 'string' && typeof listen === 'function' && typeof connect === 'function') return
  const hint = typeof transport === 'function' ? 'call the function: http({ port: 0 })' : 'write http({ port: 0 }), say'
  throw new LuciliusError(
    'LUC_OPTIONS_INVALID',
    `${where}: the first argument is a transport, an object with name, listen and connect: ${hint}.`,
  )
}
