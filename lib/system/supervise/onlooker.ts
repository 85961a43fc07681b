import type { App } from '../../app.js'
import { sharedSecret } from '../../auth.js'
import { hostApp } from '../../host.js'
import type { Logger } from '../../logger.js'
import type { AddressBook } from '../address-book.js'
import { Brokers } from '../brokers.js'
import type { Environment } from '../environment.js'
import { inLane } from '../lane.js'
import { late } from '../late.js'
import type { Loaded } from '../loading/load-system.js'
import { lookingFor } from '../looking-for.js'
import { countOf, RollCall } from '../roll-call.js'
import type { Deployment } from '../system.js'
import type { ProcessPlan } from '../topology.js'
import { transportNamed } from '../transport-named.js'
import { type BrokerName, brokersOf, type DirectName, directOf } from '../transports-used.js'

/** Whom to look at, and how to get there. */
export interface OnlookerOptions {
  readonly loaded: Loaded
  readonly deployment: Deployment
  readonly environment: Environment
  readonly log: Logger
}

/** An app that looks into all processes. */
export interface Onlooker {
  /** Knows the actions of all of them and has none itself. */
  readonly app: App
  /** Resolves when it knows what all processes answer. Until then what none of them answers waits, up to its deadline. */
  readonly known: Promise<void>
}

/** Starts an app that is connected to every process, over each transport that they use, and exposes nothing. */
export function onlooker(
  options: OnlookerOptions,
  addresses: AddressBook,
  processes: readonly ProcessPlan[],
  secret: string,
): Onlooker {
  const { loaded, deployment, log } = options
  const host = hostApp({ ...loaded.system.limits, name: 'up', parity: 'off', logger: log })
  const { app } = host
  for (const { id } of processes) addresses.set(id, undefined) // Not there yet, and expected.
  const direct = directOf(deployment)
  const brokers = new Brokers(options)
  const all = Promise.all([
    ...(direct === undefined ? [] : [meetEach(app, direct, addresses, secret)]),
    ...brokersOf(deployment).map((name) => meetAll(app, name, brokers, processes)),
  ])
  const known = host.expect(all.then(() => {}))
  known.catch((error) => log.debug({ err: error }, 'not all processes are known')) // It is being closed.
  return { app, known }
}

/** Connects to each process where it listens, once it does. */
async function meetEach(app: App, name: DirectName, addresses: AddressBook, secret: string): Promise<void> {
  const auth = sharedSecret(secret)
  const meet = async (id: string) => {
    const make = await transportNamed(name)
    const to = late({ id, name, addresses, to: (url) => make({ url }), log: app.log })
    await app.connect(to, { auth, events: { in: [], out: [] } })
  }
  app.onClose(addresses.onId((id) => void meet(id).catch(() => {})))
  await Promise.all(addresses.ids().map(meet))
}

/** Finds all of them at a broker. */
async function meetAll(app: App, name: BrokerName, brokers: Brokers, processes: readonly ProcessPlan[]): Promise<void> {
  const roll = new RollCall(countOf(processes.map(({ group }) => group.name)))
  app.onClose(() => roll.end())
  const lane = { carries: () => true, hears: () => true, met: roll.met.bind(roll) }
  const transport = lookingFor(inLane(await brokers.get(name), lane), roll)
  await app.connect(transport, { events: { in: [], out: [] } })
  await roll.all
}
