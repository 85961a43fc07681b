import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { type ClientOptions, WebSocket } from 'ws'
import { type Connection, LuciliusError, type Observer, receiveDirect } from '../../lib/transport-kit.js'
import { closedEarly } from './close-code.js'
import { ANNOUNCEMENT_BYTES } from './frame-limits.js'
import { FrameWriter } from './frame-writer.js'
import { Link } from './link.js'
import { SUBPROTOCOL } from './protocol.js'
import { refusedWith } from './refusal.js'
import type { Settings } from './settings.js'

/** Makes one attempt to connect. Rejects with a `LuciliusError`, or with what the app has against the peer. */
export function connectTo(url: URL, settings: Settings, observer: Observer): Promise<Connection> {
  return new Promise((resolve, reject) => new Attempt(url, settings, observer, resolve, reject).start())
}

/** One attempt. Where the listener has to prove something, it asks for an upgrade twice. */
class Attempt {
  readonly #url: URL
  readonly #settings: Settings
  readonly #observer: Observer
  readonly #resolve: (connection: Connection) => void
  readonly #reject: (error: unknown) => void
  #socket: WebSocket | undefined
  #timer: NodeJS.Timeout | undefined
  #ended = false
  #met = false

  constructor(
    url: URL,
    settings: Settings,
    observer: Observer,
    resolve: (connection: Connection) => void,
    reject: (error: unknown) => void,
  ) {
    this.#url = url
    this.#settings = settings
    this.#observer = observer
    this.#resolve = resolve
    this.#reject = reject
  }

  start(): void {
    const { handshakeTimeoutMs } = this.#settings
    this.#timer = setTimeout(() => {
      this.#end(unreachable(this.#url, `gave no answer within ${handshakeTimeoutMs} ms`))
    }, handshakeTimeoutMs)
    this.#observer.onGiveUp = () =>
      this.#end(new LuciliusError('LUC_UNREACHABLE', 'The attempt to connect was given up.'))
    const { authorization, prove } = this.#observer
    if (prove === undefined) this.#connect(authorization)
    else this.#prove(prove(this.#url.host))
  }

  /** Says hello, and connects once the listener has proved itself: until then it is told nothing else. */
  #prove(proof: ReturnType<NonNullable<Observer['prove']>>): void {
    const goOn = (challenge: string | undefined, said?: string) => {
      if (this.#ended) return
      try {
        this.#connect(proof.answer(challenge, said))
      } catch (error) {
        this.#end(error)
      }
    }
    const socket = this.#ask(proof.hello, ({ statusCode, headers }, refusal) => {
      if (statusCode !== 401) return false
      goOn(headers['www-authenticate'], refusal?.message)
      return true
    })
    socket.once('open', () => {
      goOn(undefined)
      socket.terminate()
    })
  }

  #connect(authorization: string | undefined): void {
    let stream: Duplex
    const socket = this.#ask(authorization)
    socket.once('upgrade', (response: IncomingMessage) => {
      stream = response.socket
    })
    socket.once('open', () => this.#introduce(socket, stream))
  }

  #introduce(socket: WebSocket, stream: Duplex): void {
    const manner = this.#observer.silent === true ? 'silent' : 'peer'
    const writer = new FrameWriter(stream, true)
    const link = new Link(socket, writer, this.#settings, manner, () => knownOnly(this.#observer, () => this.#met))
    link.onGone = (code, reason) => this.#fail(closedEarly(code, reason))
    link.onHeard = (error) => (error === undefined ? this.#succeed(link) : this.#fail(error))
    if (manner === 'silent') this.#succeed(link)
    else link.introduce()
  }

  /** Asks for an upgrade. `take` may take what is answered instead of one; else it ends the attempt. */
  #ask(
    authorization: string | undefined,
    take: (response: IncomingMessage, refusal: LuciliusError | undefined) => boolean = () => false,
  ): WebSocket {
    const socket = new WebSocket(this.#url, SUBPROTOCOL, clientOptions(this.#settings, authorization))
    this.#socket = socket
    socket.on('error', (cause) => {
      if (this.#socket === socket) this.#fail(unreachable(this.#url, 'cannot be reached', cause))
    })
    socket.on('unexpected-response', (_: unknown, response: IncomingMessage) => {
      // Once the answer was read neither it nor the request leads to the socket, which a listener may want to keep.
      const { socket: stream, statusCode: status } = response
      void refusedWith(response).then((error) => {
        stream.destroy()
        if (take(response, error)) return
        this.#fail(error ?? unreachable(this.#url, `answered ${status}; is the path right?`, undefined, { status }))
      })
    })
    return socket
  }

  #succeed(link: Link): void {
    this.#met = true
    this.#ended = true
    clearTimeout(this.#timer)
    this.#resolve(link)
  }

  /** Fails with what was heard of a socket that has ended, or is ended by whoever heard it. */
  #fail(error: unknown): void {
    this.#ended = true
    clearTimeout(this.#timer)
    this.#reject(error)
  }

  /** Fails, and ends the socket. */
  #end(error: unknown): void {
    this.#fail(error)
    this.#socket?.terminate()
  }
}

function clientOptions({ tls, handshakeTimeoutMs }: Settings, authorization: string | undefined): ClientOptions {
  return {
    ...(tls as ClientOptions | undefined),
    handshakeTimeout: handshakeTimeoutMs,
    maxPayload: ANNOUNCEMENT_BYTES,
    perMessageDeflate: false,
    followRedirects: false,
    ...(authorization === undefined ? {} : { headers: { authorization } }),
  }
}

/** The loss of a connection that never came about is told by the rejection alone. */
function knownOnly(observer: Observer, met: () => boolean): Observer {
  return {
    tell: () => observer.tell(),
    onTell: (changed) => observer.onTell(changed),
    hear: (announcement) => observer.hear(announcement),
    receive: (envelope, call) => observer.receive(envelope, call),
    receiveDirect: (envelope, call) => receiveDirect(observer, envelope, call),
    lost: () => {
      if (met()) observer.lost()
    },
  }
}

/** Names the address without what may be secret in it. */
function unreachable(
  { protocol, host, pathname }: URL,
  what: string,
  cause?: unknown,
  details?: { readonly status: number | undefined },
): LuciliusError {
  return new LuciliusError('LUC_UNREACHABLE', `${protocol}//${host}${pathname} ${what}.`, { cause, details })
}
