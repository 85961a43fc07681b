import { toPattern } from '../../pattern.js'
import { sourcesOf } from '../discovery/sources.js'
import { addressesOf } from '../environment.js'
import { foreignName } from '../foreign-exchanges.js'
import type { RecordedSending } from '../recording.js'
import { routeOf } from '../route-of.js'
import type { Deployment, Group, System } from '../system.js'
import { areLinked, onItsMachine, type ProcessPlan, processesOf } from '../topology.js'
import { allBrokersOf, checkBrokers } from './check-brokers.js'
import { checkCycles } from './check-cycles.js'
import { checkDiscovery } from './check-discovery.js'
import { checkMessage } from './check-messages.js'
import { checkPatterns } from './check-patterns.js'
import { checkRecording } from './check-recording.js'
import { checkRoutes } from './check-routes.js'
import { type Around, checkSecret } from './check-secret.js'
import { checkServices } from './check-services.js'
import { checkStores, keptOf } from './check-stores.js'
import { checkWraps } from './check-wraps.js'
import { checkDoor, type Door, doorsOf } from './doors.js'
import { type Finding, sortFindings } from './finding.js'
import { type Layout, layoutOf } from './layout.js'
import { checkPorts, listensForPeers } from './listeners.js'
import type { Offers } from './offers.js'
import type { Plan, PlannedDoor, PlannedMessage, PlannedProcess, PlannedService, PlannedTaker } from './planned.js'
import { plannedBroker, plannedDurable, plannedEvent, plannedRoute, plannedStore } from './planned-brokers.js'
import { plannedSource } from './planned-source.js'
import { type Route, routesOf, type Taker } from './routes.js'
import { declared, type Sent } from './sent.js'

/** What a plan is made of. */
export interface PlanOptions {
  readonly system: System
  readonly deployment: Deployment
  readonly offers: Offers
  /** What is known of the environment that it will run in: that of the command. */
  readonly environment?: Around | undefined
  /** Messages of a recorded run, checked besides those that services declare. */
  readonly recording?: readonly RecordedSending[]
  /** Whether a package can be loaded: any, unless given. */
  readonly isInstalled?: (name: string) => boolean
}

/** Plans a deployment. Looks only at what it is given, and starts nothing. */
export function planDeployment(options: PlanOptions): Plan {
  const { system, deployment, offers, environment, recording = [], isInstalled = () => true } = options
  const layout = layoutOf(system, deployment, offers)
  const processes = processesOf(deployment).map((one) =>
    onItsMachine(one, environment && addressesOf(environment, one.group.name)),
  )
  const traced = checkRecording(recording, layout)
  const kept = keptOf(layout)
  const ways = [...declarations(layout), ...consumed(layout), ...traced.sent].flatMap((sent) => waysOf(sent, layout))
  const routes = ways.flatMap((way) => way.routes)
  const doors = doorsOf(layout)
  // Nobody knows what a service answers that could not be loaded.
  const complete = offers.failures.length === 0
  return {
    deployment: deployment.name,
    transport: deployment.transport,
    routes: deployment.routes.map((route) => plannedRoute(route, layout)),
    brokers: allBrokersOf(deployment, processes.length).map((name) => plannedBroker(name, deployment, environment)),
    discovery: sourcesOf({ discovery: deployment.discovery, environment: environment?.discovery }).map((source) =>
      plannedSource(source, deployment, environment),
    ),
    store: plannedStore(deployment, processes.length),
    processes: processes.map((process) => plannedProcess(process, processes, deployment)),
    links: linksOf(layout),
    services: [...system.services.keys()].map((name) => plannedService(name, layout)),
    messages: once(routes.map((route) => plannedMessage(route, layout))),
    events: kept.events.map(plannedEvent),
    durables: kept.subscriptions.map(plannedDurable),
    doors: doors.map((door) => plannedDoor(door, processes)),
    findings: sortFindings([
      ...checkServices(layout),
      ...(complete ? ways.flatMap((way) => way.findings) : []),
      ...checkPatterns(layout),
      ...checkWraps(layout),
      ...(complete ? doors.flatMap((door) => checkDoor(door, layout)) : []),
      ...checkPorts(processes, deployment),
      ...checkSecret(processes, deployment, environment),
      ...checkDiscovery(deployment, environment),
      ...checkRoutes(layout),
      ...checkStores(layout, processes.length),
      ...checkBrokers({ deployment, processes, kept, environment, isInstalled }),
      ...checkCycles(routes, deployment.name),
      ...traced.findings,
    ]),
  }
}

/** The catch-all says that anything may be sent: nothing follows from it. What stands in `emits`, too, is an event. */
function declarations({ system }: Layout): Sent[] {
  return [...system.services.values()].flatMap(({ name, uses = [], emits }) => {
    const said = ['', ...emits.map(({ text }) => text)]
    return [
      ...uses.flatMap((use, at) =>
        said.includes(use.text) ? [] : [declared(name, use, `services.${name}.uses[${at}]`, false)],
      ),
      ...emits.map((event, at) => declared(name, event, `services.${name}.emits[${at}]`, true)),
    ]
  })
}

function waysOf(
  sent: Sent,
  layout: Layout,
): { readonly routes: readonly Route[]; readonly findings: readonly Finding[] }[] {
  return layout.groupsOf(sent.service).map((from) => {
    const routes = routesOf(sent, from, layout)
    return { routes, findings: checkMessage(sent, from, routes, layout) }
  })
}

/** What comes from programs of others. */
function consumed({ deployment, groups }: Layout): Sent[] {
  return groups.flatMap((group) => {
    const where = `deployments.${deployment.name}.groups.${group.name}.amqp.consume`
    const queues = group.amqp?.consume ?? []
    return queues.map(
      ({ as }, at): Sent => ({
        ...declared(foreignName(group), toPattern(as), `${where}[${at}].as`, false),
        kind: 'emit',
      }),
    )
  })
}

function plannedProcess(process: ProcessPlan, all: readonly ProcessPlan[], deployment: Deployment): PlannedProcess {
  const { id, group, port } = process
  const listen = listensForPeers(process, all, deployment) ? { host: group.listen.host, port } : null
  return { id, group: group.name, services: group.services, listen }
}

function linksOf({ groups }: Layout): (readonly [string, string])[] {
  return groups.flatMap((one, at) =>
    groups.slice(at + 1).flatMap((other) => (areLinked(one, other) ? [[one.name, other.name] as const] : [])),
  )
}

function plannedService(name: string, layout: Layout): PlannedService {
  const { actions = [], subscriptions = [] } = layout.offers.services.get(name) ?? {}
  const { uses, emits = [] } = layout.system.services.get(name) ?? {}
  return {
    name,
    groups: layout.groupsOf(name).map((group) => group.name),
    actions: actions.map(({ text }) => text),
    subscriptions: subscriptions.map(({ pattern }) => pattern.text),
    uses: uses?.map(({ text }) => text) ?? null,
    emits: emits.map(({ text }) => text),
  }
}

function plannedMessage({ sent, from, kind, to, special }: Route, { deployment }: Layout): PlannedMessage {
  const takers = [...to, ...special].filter(({ groups }) => groups.length > 0)
  return {
    service: sent.service,
    group: from.name,
    kind,
    pattern: sent.text,
    to: takers.map((taker) => plannedTaker(taker, from, deployment)),
    crosses: takers.some(({ groups }) => !groups.includes(from)),
  }
}

function plannedTaker(
  { owner, pattern, groups, lacks, durable }: Taker,
  from: Group,
  deployment: Deployment,
): PlannedTaker {
  const crosses = groups.some((group) => group !== from)
  const via = durable !== undefined ? 'store' : crosses ? routeOf(deployment)(pattern.text) : null
  return { service: owner, pattern: pattern.text, groups: groups.map(({ name }) => name), needs: lacks, via }
}

function plannedDoor({ group, outside, lets }: Door, processes: readonly ProcessPlan[]): PlannedDoor {
  const at = group.outside.indexOf(outside)
  const replicas = processes.filter((one) => one.group === group)
  const { transport, host, port, auth, events } = outside
  return {
    group: group.name,
    transport,
    host,
    port,
    ports: [...new Set(replicas.flatMap((one) => one.outside[at]?.port ?? []))],
    auth: auth !== undefined,
    actions: lets.map(({ pattern, owner }) => ({ pattern: pattern.text, service: owner })),
    events: { in: events?.in ?? [], out: events?.out ?? [] },
  }
}

/** A message that is both declared and recorded is one. */
function once<T>(all: readonly T[]): T[] {
  return [...new Map(all.map((one) => [JSON.stringify(one), one])).values()]
}
