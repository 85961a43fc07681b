/**
 * Two apps in one process, through the real protocol: envelopes are written as text and read again, announcements are
 * pushed, cancellation crosses. What works over it works over a socket.
 *
 * @module
 */
import { checkKeys, type Listener, LuciliusError, type Receiver, type Transport } from '../../lib/transport-kit.js'
import { hubOf, joinTo, openHub } from './hub.js'
import { introduce } from './introduction.js'
import { newUrl } from './url.js'

/** Options of {@link inProcess}. */
export interface InProcessOptions {
  /** Where to connect: the `url` of a listener of this process. Without one, a transport connects to itself. */
  readonly url?: string
}

/**
 * Makes a transport within this process.
 *
 * Listen and connect with the same one, or give the listener's `url` to the connecting side. Throws
 * `LUC_OPTIONS_INVALID`.
 *
 * @example
 * ```ts
 * import { lucilius } from 'lucilius'
 * import { inProcess } from 'lucilius/transports/in-process'
 *
 * const rates = lucilius({ name: 'rates' })
 * rates.add('role:rates,cmd:get', () => ({ rate: 0.91 }))
 * const listener = await rates.listen(inProcess(), { expose: ['role:rates,cmd:*'] })
 *
 * const convert = lucilius({ name: 'convert' })
 * await convert.connect(inProcess({ url: listener.url }))
 * console.log(await convert.act('role:rates,cmd:get'))
 * await convert.close()
 * await rates.close()
 * ```
 */
export function inProcess(options: InProcessOptions = {}): Transport {
  const { url = newUrl() } = checkKeys<InProcessOptions>('inProcess', options, ['url'])
  if (typeof url !== 'string' || !url.startsWith('in-process:')) {
    throw new LuciliusError('LUC_OPTIONS_INVALID', "inProcess: 'url' is the url of a listener, such as in-process:1.")
  }
  return {
    name: 'in-process',
    audience: 'peers',
    local: true,
    listen: async (receiver: Receiver): Promise<Listener> => openHub(url, receiver),
    connect: async (observer) => {
      const who = await introduce(observer, (authorization) =>
        hubOf(url).receiver.authenticate({ headers: { authorization } }),
      )
      // Looked up again: it may have been closed meanwhile.
      return joinTo(hubOf(url), observer, who)
    },
  }
}
