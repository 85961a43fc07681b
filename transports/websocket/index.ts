/**
 * Many calls on one socket, and between apps acts and events in both directions: the fast way. Needs the package `ws`,
 * which is loaded with this module only.
 *
 * @module
 */
import { type Listener, LuciliusError, type Observer, type Receiver, type Transport } from '../../lib/transport-kit.js'
import { isLocal, isLoopback } from './address.js'
import { connectTo } from './connecting.js'
import { listenOn } from './listening.js'
import { toSettings, type WebSocketOptions } from './settings.js'

export type { HasServer, WebSocketOptions } from './settings.js'

/**
 * Makes a transport over WebSocket.
 *
 * With `port` it listens alone, with `server` on the port of a server that is there already, with `url` it connects.
 * Throws `LUC_OPTIONS_INVALID`.
 *
 * @example
 * ```ts
 * import { lucilius } from 'lucilius'
 * import { websocket } from 'lucilius/transports/websocket'
 *
 * const rates = lucilius({ name: 'rates' })
 * rates.add('role:rates,cmd:get', () => ({ rate: 0.91 }))
 * const listener = await rates.listen(websocket({ port: 0 }), { expose: ['role:rates,cmd:*'], audience: 'peers' })
 *
 * const convert = lucilius({ name: 'convert' })
 * await convert.connect(websocket({ url: listener.url }))
 * console.log(await convert.act('role:rates,cmd:get'))
 * await convert.close()
 * await rates.close()
 * ```
 */
export function websocket(options: WebSocketOptions): Transport {
  const settings = toSettings(options)
  const { url, server, host } = settings
  return {
    name: 'websocket',
    get local() {
      return server === undefined ? isLoopback(host) : isLocal(server)
    },
    listen: async (receiver: Receiver): Promise<Listener> => {
      if (url !== undefined) throw wrongEnd("listen needs 'port' or 'server', not 'url'")
      return listenOn(settings, receiver)
    },
    connect: async (observer: Observer) => {
      if (url === undefined) throw wrongEnd("connect needs 'url'")
      return connectTo(url, settings, observer)
    },
  }
}

function wrongEnd(what: string): LuciliusError {
  return new LuciliusError('LUC_OPTIONS_INVALID', `websocket: ${what}.`)
}
