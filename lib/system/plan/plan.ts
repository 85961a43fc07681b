import { addressesOf } from '../environment.js'
import type { RecordedSending } from '../recording.js'
import type { Deployment, System } from '../system.js'
import { areLinked, onItsMachine, type ProcessPlan, processesOf } from '../topology.js'
import { checkCycles } from './check-cycles.js'
import { checkMessage } from './check-messages.js'
import { checkPatterns } from './check-patterns.js'
import { checkRecording } from './check-recording.js'
import { type Around, checkSecret } from './check-secret.js'
import { checkServices } from './check-services.js'
import { checkWraps } from './check-wraps.js'
import { checkDoor, type Door, doorsOf } from './doors.js'
import { type Finding, sortFindings } from './finding.js'
import { type Layout, layoutOf } from './layout.js'
import { checkPorts, hasPeers } from './listeners.js'
import type { Offers } from './offers.js'
import type { Plan, PlannedDoor, PlannedMessage, PlannedProcess, PlannedService, PlannedTaker } from './planned.js'
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
}

/** Plans a deployment. Looks only at what it is given, and starts nothing. */
export function planDeployment({ system, deployment, offers, environment, recording = [] }: PlanOptions): Plan {
  const layout = layoutOf(system, deployment, offers)
  const processes = processesOf(deployment).map((one) =>
    onItsMachine(one, environment && addressesOf(environment, one.group.name)),
  )
  const traced = checkRecording(recording, layout)
  const ways = [...declarations(layout), ...traced.sent].flatMap((sent) => waysOf(sent, layout))
  const routes = ways.flatMap((way) => way.routes)
  const doors = doorsOf(layout)
  // Nobody knows what a service answers that could not be loaded.
  const complete = offers.failures.length === 0
  return {
    deployment: deployment.name,
    transport: deployment.transport,
    processes: processes.map((process) => plannedProcess(process, processes)),
    links: linksOf(layout),
    services: [...system.services.keys()].map((name) => plannedService(name, layout)),
    messages: once(routes.map(plannedMessage)),
    doors: doors.map(plannedDoor),
    findings: sortFindings([
      ...checkServices(layout),
      ...(complete ? ways.flatMap((way) => way.findings) : []),
      ...checkPatterns(layout),
      ...checkWraps(layout),
      ...(complete ? doors.flatMap((door) => checkDoor(door, layout)) : []),
      ...checkPorts(processes, deployment),
      ...checkSecret(processes, deployment, environment),
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

function plannedProcess(process: ProcessPlan, all: readonly ProcessPlan[]): PlannedProcess {
  const { id, group, port } = process
  const listen = hasPeers(process, all) ? { host: group.listen.host, port } : null
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
    subscriptions: subscriptions.map(({ text }) => text),
    uses: uses?.map(({ text }) => text) ?? null,
    emits: emits.map(({ text }) => text),
  }
}

function plannedMessage({ sent, from, kind, to, special }: Route): PlannedMessage {
  const takers = [...to, ...special].filter(({ groups }) => groups.length > 0)
  return {
    service: sent.service,
    group: from.name,
    kind,
    pattern: sent.text,
    to: takers.map(plannedTaker),
    crosses: takers.some(({ groups }) => !groups.includes(from)),
  }
}

function plannedTaker({ owner, pattern, groups, lacks }: Taker): PlannedTaker {
  return { service: owner, pattern: pattern.text, groups: groups.map(({ name }) => name), needs: lacks }
}

function plannedDoor({ group, outside, lets }: Door): PlannedDoor {
  const { transport, host, port, auth, events } = outside
  return {
    group: group.name,
    transport,
    host,
    port,
    auth: auth !== undefined,
    actions: lets.map(({ pattern, owner }) => ({ pattern: pattern.text, service: owner })),
    events: { in: events?.in ?? [], out: events?.out ?? [] },
  }
}

/** A message that is both declared and recorded is one. */
function once<T>(all: readonly T[]): T[] {
  return [...new Map(all.map((one) => [JSON.stringify(one), one])).values()]
}
