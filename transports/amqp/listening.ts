import type { Channel } from 'amqplib'
import { type Listener, LuciliusError, type Mail, type Receiver } from '../../lib/transport-kit.js'
import type { Broker } from './broker.js'
import { openDoor } from './door.js'
import { doorAddress } from './door-queue.js'
import type { LastingChannel } from './lasting-channel.js'
import { type Announced, announceListener } from './news.js'
import type { Settings } from './settings.js'

/** What a listener is opened on. */
export interface Premises {
  readonly broker: Broker
  readonly settings: Settings
  readonly mail: Mail
  /** The addresses of the listeners of this transport: it does not find itself. */
  readonly own: Set<string>
}

/** Opens a mailbox that peers find, or the clients' door. Rejects with `LUC_LISTEN_FAILED`. */
export async function listenOn(premises: Premises, receiver: Receiver): Promise<Listener> {
  const { broker, settings } = premises
  let trouble: LuciliusError | undefined
  // Held meanwhile, so that a broker that starts at the same time is waited for.
  const waiting: LastingChannel<Channel> = broker.hold<Channel>({
    confirms: false,
    setUp: async () => {},
    failed: (error) => {
      trouble = error
    },
  })
  try {
    await waiting.whenUp(AbortSignal.timeout(settings.connectTimeoutMs))
    return await (receiver.audience === 'peers' ? listenForPeers : listenForClients)(premises, receiver)
  } catch (cause) {
    throw listenFailed(broker, cause instanceof LuciliusError ? cause : (trouble ?? cause))
  } finally {
    await waiting.close()
  }
}

async function listenForPeers({ broker, settings, mail, own }: Premises, receiver: Receiver): Promise<Listener> {
  const { space, shown } = settings
  const mailbox = await mail.listen(receiver)
  const { address } = mailbox
  own.add(address)
  const close = async () => {
    own.delete(address)
    await mailbox.close()
  }
  let announced: Announced
  try {
    announced = await announceListener({ broker, space }, address)
  } catch (error) {
    await close()
    throw error
  }
  let retired: Promise<void> | undefined
  const retire = () => {
    retired ??= announced.retire()
    return retired
  }
  return {
    url: `${shown}#${address}`,
    drain: () => void retire(),
    close: async () => {
      await retire()
      await close()
    },
  }
}

async function listenForClients({ broker, settings }: Premises, receiver: Receiver): Promise<Listener> {
  const door = openDoor(broker, settings, receiver)
  try {
    await door.channel.whenUp()
  } catch (error) {
    await door.close()
    throw error
  }
  return { url: `${settings.shown}#${doorAddress(door.app)}`, drain: door.drain, close: door.close }
}

function listenFailed({ url }: Broker, cause: unknown): LuciliusError {
  if (cause instanceof LuciliusError && cause.code === 'LUC_OPTIONS_INVALID') return cause
  const reason = cause instanceof LuciliusError ? cause.message : `The broker ${url} cannot be reached.`
  return new LuciliusError('LUC_LISTEN_FAILED', `amqp: no listener could be opened. ${reason}`, { cause })
}
