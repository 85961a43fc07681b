import type { Transport } from '../../lib/index.js'
import { http } from '../../transports/http/index.js'
import { websocket } from '../../transports/websocket/index.js'

/** The transports that go over a network. */
export type TransportName = 'http' | 'websocket'

/** The listening end. */
export function listening(name: TransportName, port: number): Transport {
  return name === 'http' ? http({ port, heartbeatMs: 200 }) : websocket({ port, pingMs: 200 })
}

/** The connecting end, which notices within half a second that nobody is there any more. */
export function connecting(name: TransportName, port: number): Transport {
  return name === 'http'
    ? http({ url: `http://127.0.0.1:${port}`, heartbeatMs: 200, connectTimeoutMs: 500 })
    : websocket({ url: `ws://127.0.0.1:${port}/ws`, pingMs: 200, handshakeTimeoutMs: 500 })
}
