import type { ClientRequest, IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { type ClientOptions, WebSocket } from 'ws'
import { type Connection, LuciliusError, type Observer, receiveDirect } from '../../lib/transport-kit.js'
import { closedEarly } from './close-code.js'
import { FrameWriter } from './frame-writer.js'
import { ANNOUNCEMENT_BYTES, Link } from './link.js'
import { SUBPROTOCOL } from './protocol.js'
import { refusedWith } from './refusal.js'
import type { Settings } from './settings.js'

/** Makes one attempt to connect. Rejects with a `LuciliusError`, or with what the app has against the peer. */
export function connectTo(url: URL, settings: Settings, observer: Observer): Promise<Connection> {
  return new Promise((resolve, reject) => {
    const { handshakeTimeoutMs } = settings
    const socket = new WebSocket(url, SUBPROTOCOL, clientOptions(settings, observer))
    const timer = setTimeout(() => {
      fail(unreachable(url, `gave no answer within ${handshakeTimeoutMs} ms`))
      socket.terminate()
    }, handshakeTimeoutMs)
    observer.onGiveUp = () => {
      fail(new LuciliusError('LUC_UNREACHABLE', 'The attempt to connect was given up.'))
      socket.terminate()
    }
    let met = false
    const fail = (error: unknown) => {
      clearTimeout(timer)
      reject(error)
    }
    const succeed = (link: Link) => {
      met = true
      clearTimeout(timer)
      resolve(link)
    }
    socket.on('error', (cause) => fail(unreachable(url, 'cannot be reached', cause)))
    socket.on('unexpected-response', (request: ClientRequest, response: IncomingMessage) => {
      void refusedWith(response).then((error) => {
        const status = response.statusCode
        fail(error ?? unreachable(url, `answered ${status}; is the path right?`, undefined, { status }))
        request.destroy()
      })
    })
    let stream: Duplex
    socket.once('upgrade', (response: IncomingMessage) => {
      stream = response.socket
    })
    socket.once('open', () => {
      const manner = observer.silent === true ? 'silent' : 'peer'
      const link = new Link(socket, new FrameWriter(stream, true), settings, manner, () =>
        knownOnly(observer, () => met),
      )
      link.onGone = (code, reason) => fail(closedEarly(code, reason))
      link.onHeard = (error) => (error === undefined ? succeed(link) : fail(error))
      if (manner === 'silent') succeed(link)
      else link.introduce()
    })
  })
}

function clientOptions({ tls, handshakeTimeoutMs }: Settings, { authorization }: Observer): ClientOptions {
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
