import type { Transport } from '../../transport.js'
import { CommandError } from '../errors.js'

/** Milliseconds in which a listener has to take a connection. */
const CONNECT_MS = 5000

const NOTHING = { protocol: '', host: '', username: '', password: '' }

/** A listener. */
export interface ListenerAt {
  readonly transport: Transport
  /** Its address without what may be secret in it. */
  readonly place: string
}

/** How to speak to the listener at an address. The address itself is never printed: it may hold a password. */
export async function listenerAt(url: string): Promise<ListenerAt> {
  const { protocol, host, username, password } = URL.canParse(url) ? new URL(url) : NOTHING
  if (username !== '' || password !== '') {
    const advice = "Set LUCILIUS_SECRET to the listener's secret instead."
    throw new CommandError('usage', `'--url' holds a user or a password. ${advice}`)
  }
  const place = `${protocol}//${host}`
  if (protocol === 'http:' || protocol === 'https:') {
    const { http } = await import('../../../transports/http/index.js')
    return { transport: http({ url, connectTimeoutMs: CONNECT_MS }), place }
  }
  if (protocol === 'ws:' || protocol === 'wss:') {
    const { websocket } = await import('../../../transports/websocket/index.js')
    return { transport: websocket({ url, handshakeTimeoutMs: CONNECT_MS }), place }
  }
  const examples = 'http://127.0.0.1:8080 or ws://127.0.0.1:7400/ws'
  throw new CommandError('usage', `'--url' is the address of a listener, such as ${examples}.`)
}
