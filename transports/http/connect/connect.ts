import { Client, Pool } from 'undici'
import { type Connection, LuciliusError, type Observer } from '../../../lib/transport-kit.js'
import type { Settings } from '../options.js'
import type { Target } from '../target.js'
import { PeerConnection } from './peer-connection.js'
import { lasting, poolOptions, Sender, socketOptions } from './sender.js'
import { probe, SilentConnection } from './silent-connection.js'

/** Makes one attempt to connect. Rejects with what kept it from it. */
export async function connectTo(target: Target, settings: Settings, observer: Observer): Promise<Connection> {
  if (observer.silent === true) return connectSilently(target, settings, observer)
  const client = new Client(target.origin, { ...lasting, connect: socketOptions(settings) })
  const connection = new PeerConnection(observer, senderTo(target, settings), client, settings, target.host)
  observer.onGiveUp = () => void connection.close()
  await connection.open(`${target.prefix}/stream`)
  return connection
}

async function connectSilently(target: Target, settings: Settings, observer: Observer): Promise<Connection> {
  if (observer.prove !== undefined) {
    // A proof is good for a stream, and there is none.
    const advice = "connect with a sharedSecret('…') without 'mutual', or without 'patterns'"
    throw new LuciliusError('LUC_OPTIONS_INVALID', `http: a secret is proved to peers only: ${advice}.`)
  }
  await probe(target, settings.connectTimeoutMs, observer)
  const sender = senderTo(target, settings)
  sender.authorize(observer.authorization)
  return new SilentConnection(observer, sender)
}

function senderTo(target: Target, settings: Settings): Sender {
  return new Sender(new Pool(target.origin, poolOptions(settings)), target, settings)
}
