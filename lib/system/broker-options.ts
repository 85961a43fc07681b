import { resolve } from 'node:path'
import type { BrokerEnvironment } from './environment.js'
import { descriptionFolder } from './loading/description-folder.js'
import { type SpacePlace, spaceOf } from './space.js'
import type { BrokerName } from './transports-used.js'

/** Whose brokers are meant, and what the environment says of them. */
export type BrokerPlace = SpacePlace

/** Options of `nats`, as far as a system has them. */
export interface NatsOptions {
  readonly space: string
  readonly servers?: readonly string[]
  readonly creds?: string
  readonly user?: string
  readonly pass?: string
  readonly token?: string
  readonly nkey?: string
  readonly tls?: object
}

/** Options of `amqp`, as far as a system has them. */
export interface AmqpOptions {
  readonly space: string
  readonly url?: string
  readonly tls?: object
}

/** How NATS is reached. What the environment says goes before the description. */
export function natsOptions(place: BrokerPlace): NatsOptions {
  const { servers, creds, tls } = place.deployment.brokers.nats
  const given = place.environment?.brokers?.nats
  const proof = given === undefined ? {} : proofOf(given)
  const described = creds === undefined ? {} : { creds: resolve(descriptionFolder(place.loaded), creds) }
  const addresses = given?.servers ?? servers
  return {
    space: spaceOf(place),
    ...(addresses === undefined ? {} : { servers: addresses }),
    ...(tls === undefined ? {} : { tls }),
    ...(Object.keys(proof).length > 0 ? proof : (given?.servers?.some(hasUser) ?? false) ? {} : described),
  }
}

/** Whether an address says itself who connects. */
function hasUser(address: string): boolean {
  const { username, password } = new URL(address)
  return username !== '' || password !== ''
}

/** How RabbitMQ is reached. What the environment says goes before the description. */
export function amqpOptions(place: BrokerPlace): AmqpOptions {
  const { url, tls } = place.deployment.brokers.amqp
  const address = place.environment?.brokers?.amqp.url ?? url
  return {
    space: spaceOf(place),
    ...(address === undefined ? {} : { url: address }),
    ...(tls === undefined ? {} : { tls }),
  }
}

/** Whether somebody says where a broker is; else it is expected at its usual port of this machine. */
export function hasAddress(name: BrokerName, { deployment, environment }: Omit<BrokerPlace, 'loaded'>): boolean {
  const { nats, amqp } = deployment.brokers
  const given = environment?.brokers
  return (name === 'nats' ? (given?.nats.servers ?? nats.servers) : (given?.amqp.url ?? amqp.url)) !== undefined
}

type Proof = Pick<NatsOptions, 'creds' | 'user' | 'pass' | 'token' | 'nkey'>

function proofOf({ creds, user, password, token, nkey }: BrokerEnvironment['nats']): Proof {
  const proof = { creds, user, pass: password, token, nkey }
  return Object.fromEntries(Object.entries(proof).filter(([, value]) => value !== undefined))
}
