/**
 * Apps over RabbitMQ: peers that find each other through the broker, a durable queue for clients of any language, durable
 * events in quorum queues, and plain JSON from and for others. Needs the package `amqplib`, which is loaded when the
 * broker is first needed.
 *
 * @module
 */
import {
  type EventStore,
  type Finding,
  LuciliusError,
  type MailLimits,
  mail,
  type Transport,
} from '../../lib/transport-kit.js'
import { Broker } from './broker.js'
import { doorAddress, doorOf } from './door-queue.js'
import { listenOn, type Premises } from './listening.js'
import { findListeners } from './news.js'
import { postOffice } from './post.js'
import { type AmqpOptions, type Settings, toSettings } from './settings.js'

export type { ForeignApp, ForeignHandler } from './foreign/app.js'
export { type ForeignPlugin, foreign } from './foreign/index.js'
export type { Consumed, ForeignOptions, Published } from './foreign/options.js'
export type { AmqpOptions } from './settings.js'

/**
 * Makes a transport over RabbitMQ that is an event store too. Everything done with it shares one connection, opened when
 * it is first needed and found again after each loss. Throws `LUC_OPTIONS_INVALID`.
 *
 * @example
 * ```ts
 * import { lucilius } from 'lucilius'
 * import { amqp } from 'lucilius/transports/amqp'
 *
 * const broker = amqp({ url: 'amqp://127.0.0.1:5672', space: 'shop' })
 * const rates = lucilius({ name: 'rates' })
 * rates.add('role:rates,cmd:get', () => ({ rate: 0.91 }))
 * await rates.listen(broker, { expose: ['role:rates,cmd:*'] })
 *
 * const convert = lucilius({ name: 'convert' })
 * await convert.connect(amqp({ url: 'amqp://127.0.0.1:5672', space: 'shop' }))
 * console.log(await convert.act('role:rates,cmd:get'))
 * ```
 */
export function amqp(options: AmqpOptions = {}): Transport & EventStore {
  const settings = toSettings(options)
  const broker = new Broker(settings)
  const premises: Premises = {
    broker,
    settings,
    mail: mail(postOffice(broker, settings), toLimits(settings)),
    own: new Set(),
  }
  return {
    name: 'amqp',
    audience: 'peers',
    local: true, // The broker says who may come in.
    listen: (receiver) => listenOn(premises, receiver),
    connect: connecting(premises),
    ...(settings.mailbox === undefined ? { discover: (finding) => discover(premises, finding) } : {}),
    openStore: async (host) => {
      const { openAmqpStore } = await import('./store/index.js')
      return openAmqpStore(broker, settings, host)
    },
    isEmpty: async () => {
      const { isAmqpStoreEmpty } = await import('./store/index.js')
      return isAmqpStoreEmpty(broker, settings)
    },
  }
}

/** Leads to the listener of the url, or to the clients' door of an app. */
function connecting({ broker, settings, mail: mails }: Premises): Transport['connect'] {
  const { mailbox } = settings
  const app = mailbox === undefined ? settings.app : doorOf(mailbox)
  if (app === undefined) {
    return async (observer) => {
      if (mailbox !== undefined) return mails.connect(mailbox, observer)
      throw wrongEnd("to connect with { patterns } give 'app', the name of the app whose clients' door it is")
    }
  }
  const doors = mail(postOffice(broker, settings, app), toLimits(settings))
  return async (observer) => {
    if (observer.silent === true) return doors.connect(doorAddress(app), observer)
    throw wrongEnd("a clients' door tells nothing: give the patterns that it answers, connect(amqp(…), { patterns })")
  }
}

async function discover({ broker, settings, mail: mails, own }: Premises, finding: Finding) {
  return findListeners(
    { broker, space: settings.space },
    {
      found: (address) => {
        if (!own.has(address))
          finding.found(
            address,
            leadingTo(address, (observer) => mails.connect(address, observer)),
          )
      },
      gone: (address) => finding.gone(address),
    },
  )
}

/** Connects to one mailbox that was found. */
function leadingTo(address: string, connect: Transport['connect']): Transport {
  return {
    name: 'amqp',
    audience: 'peers',
    local: true,
    connect,
    listen: () => Promise.reject(wrongEnd(`${address} is there to connect to`)),
  }
}

function wrongEnd(what: string): LuciliusError {
  return new LuciliusError('LUC_OPTIONS_INVALID', `amqp: ${what}.`)
}

function toLimits(settings: Settings): Partial<MailLimits> {
  const { maxBytes, maxDepth, maxInFlight, maxBuffered, handshakeTimeoutMs, pingMs } = settings
  return { maxBytes, maxDepth, maxInFlight, maxBuffered, handshakeTimeoutMs, pingMs }
}
