/**
 * Over a NATS server: apps find each other through it, acts are requests as NATS knows them, and with JetStream it keeps
 * durable events. Needs the package `@nats-io/transport-node`, and `@nats-io/jetstream` for durable events.
 *
 * @module
 */
import {
  type EventStore,
  type Listener,
  LuciliusError,
  type MailListener,
  mail,
  type Observer,
  type Receiver,
  type Transport,
} from '../../lib/transport-kit.js'
import { Broker } from './broker.js'
import { discover } from './discovery.js'
import { openDoor } from './door.js'
import { urlOf } from './place.js'
import { openPost } from './post.js'
import { showPresence } from './presence.js'
import { DOOR } from './sender.js'
import { type NatsOptions, type Settings, toSettings } from './settings.js'

export type { NatsOptions } from './settings.js'
export type { StoreOptions } from './store/settings.js'

/**
 * Makes a transport over NATS.
 *
 * Listen with it, or connect: to all who listen in its space, or with `url` to one listener, or with `app` and `patterns` to
 * the clients' door of an app. It is an event store as well: `lucilius({ store: nats() })`. What is done with one transport
 * shares one connection, which is opened when it is first needed. Throws `LUC_OPTIONS_INVALID`.
 *
 * @example
 * ```ts
 * import { lucilius } from 'lucilius'
 * import { nats } from 'lucilius/transports/nats'
 *
 * const rates = lucilius({ name: 'rates' })
 * rates.add('role:rates,cmd:get', () => ({ rate: 0.91 }))
 * await rates.listen(nats(), { expose: ['role:rates,cmd:*'] })
 *
 * const convert = lucilius({ name: 'convert' })
 * await convert.connect(nats())
 * console.log(await convert.act('role:rates,cmd:get'))
 * await convert.close()
 * await rates.close()
 * ```
 */
export function nats(options: NatsOptions = {}): Transport & EventStore {
  const settings = toSettings(options)
  const broker = new Broker(settings)
  const lines = mail((recipient) => openPost(broker, recipient, 'all'), settings)
  const toDoors = mail((recipient) => openPost(broker, recipient, 'answers'), settings)
  const leadTo = (mailbox: string): Transport => ({
    name: 'nats',
    listen: async () => {
      throw wrong("a transport that leads to one listener has no place to listen at: leave out 'url'.")
    },
    connect: (observer) => lines.connect(mailbox, observer),
  })

  const transport: Transport & EventStore = {
    name: 'nats',
    audience: 'peers',
    // Whoever may come in the broker decides.
    local: true,
    listen: async (receiver) => {
      if (options.url !== undefined) throw wrong("listen needs 'servers', not 'url'.")
      try {
        return receiver.audience === 'clients' ? await openDoor(broker, receiver) : await listenForPeers(receiver)
      } catch (error) {
        throw listenFailed(error)
      }
    },
    connect: async (observer) => {
      const { mailbox, app } = targetOf(settings, observer)
      return mailbox === undefined ? toDoors.connect(`${DOOR}${app}`, observer) : lines.connect(mailbox, observer)
    },
    discover: (finding) => discover(broker, finding, leadTo),
    openStore: async (host) => {
      const { openJetStream } = await loadStore()
      return openJetStream(broker, { space: settings.space, ...settings.store }, host)
    },
    isEmpty: async () => {
      // Who has not installed what durable events need has none, and need not install it to learn that.
      const store = await loadStore().catch(() => undefined)
      return store === undefined || store.isJetStreamEmpty(broker, { space: settings.space, ...settings.store })
    },
  }
  // An address leads to one listener: there is nobody to be found.
  if (options.url !== undefined) delete transport.discover
  return transport

  async function listenForPeers(receiver: Receiver): Promise<Listener> {
    const lease = await broker.use()
    let mailbox: MailListener | undefined
    try {
      mailbox = await lines.listen(receiver)
      const { address } = mailbox
      const presence = await showPresence(broker, receiver, address)
      const close = async () => {
        await presence.close()
        await mailbox?.close()
        await lease.release()
      }
      return { url: urlOf(settings.scheme, lease.nats.getServer(), settings.space, address), close }
    } catch (error) {
      await mailbox?.close()
      await lease.release()
      throw error
    }
  }
}

async function loadStore(): Promise<typeof import('./store/index.js')> {
  try {
    return await import('./store/index.js')
  } catch (cause) {
    const message = 'nats: durable events need one more package: npm install @nats-io/jetstream'
    throw new LuciliusError('LUC_OPTIONS_INVALID', message, { cause })
  }
}

/** Checks that a connection leads to somebody, and to whom it can. */
function targetOf({ mailbox, app }: Settings, { silent }: Observer): Pick<Settings, 'mailbox' | 'app'> {
  if (mailbox !== undefined && silent === true) {
    throw wrong("this listener tells itself what it answers: leave out 'patterns'.")
  }
  if (mailbox === undefined && app === undefined) {
    throw wrong("connect with 'patterns' needs the name of an app: nats({ app: 'convert' }).")
  }
  if (mailbox === undefined && silent !== true) {
    const what = "A clients' door tells nothing: say what it answers, connect(transport, { patterns: [...] })."
    throw new LuciliusError('LUC_FORBIDDEN', what)
  }
  return { mailbox, app }
}

function listenFailed(error: unknown): unknown {
  if (!(error instanceof LuciliusError) || error.code === 'LUC_OPTIONS_INVALID') return error
  return new LuciliusError('LUC_LISTEN_FAILED', `Cannot listen: ${error.message}`, { cause: error })
}

function wrong(what: string): LuciliusError {
  return new LuciliusError('LUC_OPTIONS_INVALID', `nats: ${what}`)
}
