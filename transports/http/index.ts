/**
 * HTTP: one message a request, for peers as well as for pages, curl and other languages. Listens with fastify, connects
 * with undici; either is loaded when it is first used. The wire format is in `docs/wire.md`.
 *
 * @module
 */
import type { RequestListener, Server } from 'node:http'
import { LuciliusError, type Transport } from '../../lib/transport-kit.js'
import { refuseEarly } from './listen/not-open.js'
import { type HttpOptions, toSettings } from './options.js'
import { isLoopback } from './target.js'

export type { FastifyHost, HttpOptions } from './options.js'

/** What {@link http} makes. */
export interface HttpTransport extends Transport {
  /** Answers a request of node:http or Express while the transport listens, and with 503 otherwise. */
  readonly handler: RequestListener
  /** The server while the transport listens on a port: others may share it. */
  readonly server: Server | undefined
}

/**
 * Makes an HTTP transport.
 *
 * `http({ port: 0 })` listens, `http({ url })` connects. `http({ fastify, prefix })` mounts into a fastify app, and the
 * `handler` of `http({ server: false })` into Express or node:http. Throws `LUC_OPTIONS_INVALID`.
 *
 * @example
 * ```ts
 * import { lucilius } from 'lucilius'
 * import { http } from 'lucilius/transports/http'
 *
 * const rates = lucilius({ name: 'rates' })
 * rates.add('role:rates,cmd:get', () => ({ rate: 0.91 }))
 * const { url } = await rates.listen(http({ port: 0 }), { audience: 'peers', expose: ['role:rates,cmd:*'] })
 *
 * const convert = lucilius({ name: 'convert' })
 * await convert.connect(http({ url }))
 * console.log(await convert.act('role:rates,cmd:get'))
 * await convert.close()
 * await rates.close()
 * ```
 */
export function http(options: HttpOptions): HttpTransport {
  const settings = toSettings(options)
  const { where } = settings
  let handler: RequestListener = refuseEarly
  let server: Server | undefined
  return {
    name: 'http',
    local: where.kind === 'port' && isLoopback(where.host),
    handler: (request, response) => handler(request, response),
    get server() {
      return server
    },
    listen: async (receiver) => {
      const { openListener } = await import('./listen/listener.js')
      const opened = await openListener(settings, receiver)
      handler = opened.handler ?? handler
      server = opened.server
      return opened.listener
    },
    connect: async (observer) => {
      if (where.kind !== 'url') {
        throw new LuciliusError('LUC_OPTIONS_INVALID', "http: to connect give 'url', the url of the listener.")
      }
      const { connectTo } = await import('./connect/connect.js')
      return connectTo(where.target, settings, observer)
    },
  }
}
