import type { Transport } from '../transport.js'

/** The transports that a description may name. */
export type TransportName = 'http' | 'websocket'

/** Makes a transport that listens on a port, or connects to an address. */
export type MakeTransport = (
  options:
    | { readonly port: number; readonly host: string; readonly origins?: readonly string[] }
    | { readonly url: string },
) => Transport

/** Loads the transport of a name, and no other: each brings packages of its own. */
export async function transportNamed(name: TransportName): Promise<MakeTransport> {
  if (name === 'websocket') return (await import('../../transports/websocket/index.js')).websocket
  const { http } = await import('../../transports/http/index.js')
  return (options) => {
    if ('url' in options) return http(options)
    const { port, host } = options // pages of all origins are refused, and there is no option to let some in
    return http({ port, host })
  }
}
