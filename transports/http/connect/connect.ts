import { Client, Pool } from 'undici'
import type { Connection, Observer } from '../../../lib/transport-kit.js'
import type { Settings } from '../options.js'
import type { Target } from '../target.js'
import { PeerConnection } from './peer-connection.js'
import { lasting, poolOptions, Sender, socketOptions } from './sender.js'
import { probe, SilentConnection } from './silent-connection.js'

/** Makes one attempt to connect. Rejects with what kept it from it. */
export async function connectTo(target: Target, settings: Settings, observer: Observer): Promise<Connection> {
  const { authorization } = observer
  if (observer.silent === true) await probe(target, settings.connectTimeoutMs, observer)
  const sender = new Sender(new Pool(target.origin, poolOptions(settings)), target, settings, authorization)
  if (observer.silent === true) return new SilentConnection(observer, sender)
  const client = new Client(target.origin, { ...lasting, connect: socketOptions(settings) })
  const connection = new PeerConnection(observer, sender, client, settings)
  observer.onGiveUp = () => void connection.close()
  await connection.open(`${target.prefix}/stream`, authorization)
  return connection
}
