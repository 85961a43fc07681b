import { hasAddress } from '../broker-options.js'
import { storeKind } from '../store-of.js'
import type { Deployment } from '../system.js'
import type { ProcessPlan } from '../topology.js'
import { type BrokerName, brokersOf } from '../transports-used.js'
import { type Around, hostsOf } from './check-secret.js'
import type { Kept } from './check-stores.js'
import { errorOf, type Finding } from './finding.js'
import { isLoopback } from './listeners.js'
import { quoted } from './words.js'

/** The packages that lucilius does not bring, by what needs them. */
export const packagesOf = {
  nats: ['@nats-io/transport-node', '@nats-io/jetstream'],
  amqp: ['amqplib'],
  embedded: ['classic-level'],
} as const

/** What brokers, and what else, a deployment is made of. */
export interface BrokerFacts {
  readonly deployment: Deployment
  readonly processes: readonly ProcessPlan[]
  readonly kept: Kept
  readonly environment: Around | undefined
  /** Whether a package can be loaded. */
  readonly isInstalled: (name: string) => boolean
}

/** Checks that the brokers of a deployment can be found by all processes, and that what they need is installed. */
export function checkBrokers(facts: BrokerFacts): Finding[] {
  return [...unknownBrokers(facts), ...missingPackages(facts)]
}

/** The brokers of a deployment: those that carry messages, that which keeps events, and that of others. */
export function allBrokersOf(deployment: Deployment, processes: number): readonly BrokerName[] {
  const { kind } = storeKind(deployment, processes)
  const groups = [...deployment.groups.values()]
  const used = new Set<BrokerName>(brokersOf(deployment))
  if (kind === 'nats' || kind === 'amqp') used.add(kind)
  if (groups.some(({ amqp }) => amqp !== undefined)) used.add('amqp')
  return [...used]
}

/** Each of several machines would look for the broker on itself. */
function unknownBrokers({ deployment, processes, environment }: BrokerFacts): Finding[] {
  const isSpread = processes.some(({ group }) => hostsOf(group, environment).some((host) => !isLoopback(host)))
  if (!isSpread || processes.length === 1) return []
  const around = { deployment, ...(environment === undefined ? {} : { environment }) }
  return allBrokersOf(deployment, processes.length)
    .filter((name) => !hasAddress(name, around))
    .map((name) => {
      const variable = `LUCILIUS_${name.toUpperCase()}_URL`
      const facts = `The processes of ${quoted(deployment.name)} run on several machines, and each would look for ${name} on its own.`
      return errorOf('BROKER_UNKNOWN', `deployments.${deployment.name}.brokers.${name}`, `${facts} Set ${variable}.`)
    })
}

function missingPackages({ deployment, processes, kept, isInstalled }: BrokerFacts): Finding[] {
  const { kind } = storeKind(deployment, processes.length)
  const isKeeping = kept.events.length + kept.subscriptions.length > 0
  const needs: (keyof typeof packagesOf)[] = [...allBrokersOf(deployment, processes.length)]
  if (kind === 'embedded' && isKeeping) needs.push(kind)
  return needs.flatMap((what) => {
    const missing = packagesOf[what].filter((name) => !isInstalled(name))
    if (missing.length === 0) return []
    const facts = `${quoted(deployment.name)} needs ${missing.map(quoted).join(' and ')}, which lucilius does not bring.`
    const where = `deployments.${deployment.name}.${what === kind && what !== deployment.transport ? 'store' : 'transport'}`
    return [errorOf('PACKAGE_MISSING', where, `${facts} Run: npm install ${missing.join(' ')}`)]
  })
}

/** Whether a package can be loaded from where lucilius is. */
export function isInstalled(name: string): boolean {
  try {
    import.meta.resolve(name)
    return true
  } catch {
    return false
  }
}
