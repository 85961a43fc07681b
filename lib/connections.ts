import type { ConnectOptions, ListenOptions, PeerConnection } from './app.js'
import { LuciliusError } from './errors.js'
import { checkKeys } from './option-checks.js'
import type { Settings } from './options.js'
import { Connector } from './peers/connector.js'
import { type Exposure, toExposure, toPatterns } from './peers/exposure.js'
import type { Peer } from './peers/peer.js'
import type { Peers } from './peers/peers.js'
import type { Audience, Listener, Transport } from './transport.js'

/** The listeners and connections of an app. */
export class Connections {
  readonly #peers: Peers
  readonly #settings: Settings
  readonly #open = new Set<{ close(): Promise<void> }>()
  /** How many connections have not learned their peer yet. */
  learning = 0

  constructor(peers: Peers, settings: Settings) {
    this.#peers = peers
    this.#settings = settings
  }

  /** Reads the arguments of `listen`. Throws what is wrong with them, before anything is waited for. */
  check(transport: Transport, given: ListenOptions): { readonly audience: Audience; readonly exposure: Exposure } {
    checkTransport('listen', transport)
    if ((given as Partial<ListenOptions> | undefined)?.expose === undefined) throw exposeRequired()
    const options = checkKeys<ListenOptions>('listen', given, ['expose', 'events', 'audience'])
    const exposure = toExposure('listen', options.expose, options.events ?? {})
    const audience = options.audience ?? transport.audience ?? 'clients'
    if (audience === 'clients' || audience === 'peers') return { audience, exposure }
    throw new LuciliusError('LUC_OPTIONS_INVALID', "listen: 'audience' is 'clients' or 'peers'.")
  }

  /** Opens a listener. */
  async listen(transport: Transport, given: ListenOptions): Promise<Listener> {
    const { audience, exposure } = this.check(transport, given)
    const listener = await transport.listen({
      audience,
      accept: (connection) => this.#peers.meet({ exposure, accept: '*' }, connection),
    })
    const open: Listener = {
      url: listener.url,
      close: () => {
        this.#open.delete(open)
        return listener.close()
      },
    }
    this.#open.add(open)
    this.#settings.log.info({ url: open.url, transport: transport.name }, 'listening')
    return open
  }

  /** Opens a connection and keeps it. */
  async connect(transport: Transport, given: ConnectOptions = {}): Promise<PeerConnection> {
    checkTransport('connect', transport)
    const options = checkKeys<ConnectOptions>('connect', given, ['accept', 'expose', 'events', 'wait'])
    const terms = {
      exposure: toExposure('connect', options.expose ?? [], options.events ?? { in: '*', out: '*' }),
      accept: toPatterns('connect.accept', options.accept ?? '*'),
    }
    const peer = this.#peers.meet(terms, undefined)
    const connector = new Connector(transport, peer, this.#settings.log)
    const connection = this.#handle(peer, connector)
    this.learning++
    const known = connector.start().finally(() => {
      this.learning--
      this.#peers.learned()
    })
    if (options.wait !== false) await known
    return connection
  }

  /** Closes everything. */
  async close(): Promise<void> {
    this.#peers.forgetAll()
    await Promise.all([...this.#open].map((one) => one.close()))
  }

  #handle(peer: Peer, connector: Connector): PeerConnection {
    const connection: PeerConnection = {
      get peer() {
        return peer.known === undefined ? undefined : peer.info
      },
      close: async () => {
        this.#open.delete(connection)
        this.#peers.forget(peer)
        await connector.close()
      },
    }
    this.#open.add(connection)
    return connection
  }
}

function checkTransport(where: string, transport: unknown): void {
  const { name, listen, connect } = (transport ?? {}) as Partial<Transport>
  if (typeof name === 'string' && typeof listen === 'function' && typeof connect === 'function') return
  throw new LuciliusError('LUC_OPTIONS_INVALID', `${where}: the first argument is a transport, such as inProcess(): an object with name, listen and connect.`)
}

function exposeRequired(): LuciliusError {
  return new LuciliusError(
    'LUC_EXPOSE_REQUIRED',
    "Nothing is reachable unless exposed: app.listen(transport, { expose: ['role:convert,cmd:*'] }), or { expose: '*' } for all actions of this app.",
  )
}
