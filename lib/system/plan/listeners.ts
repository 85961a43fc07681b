import { clashes } from '../clash.js'
import type { Deployment } from '../system.js'
import { areLinked, type ProcessPlan } from '../topology.js'
import { directOf } from '../transports-used.js'
import { errorOf, type Finding } from './finding.js'
import { quoted } from './words.js'

/** What a process listens on. */
interface ListeningOn {
  readonly process: ProcessPlan
  /** For whom: the other processes, or clients of a door. */
  readonly what: string
  readonly host: string
  readonly port: number
}

/** Everything that the processes of a deployment listen on. */
function listenersOf(processes: readonly ProcessPlan[], deployment: Deployment): ListeningOn[] {
  return processes.flatMap((process) => [
    ...(listensForPeers(process, processes, deployment) ? [peerListener(process)] : []),
    ...process.outside.map(({ transport, host, port }) => ({ process, what: `the ${transport} door`, host, port })),
  ])
}

/** Whether a process has another one to exchange messages with; one that is alone does not listen for peers. */
export function hasPeers(process: ProcessPlan, processes: readonly ProcessPlan[]): boolean {
  return processes.some((other) => other !== process && areLinked(process.group, other.group))
}

/** Whether a process has a port for others: over a broker nobody has. */
export function listensForPeers(
  process: ProcessPlan,
  processes: readonly ProcessPlan[],
  deployment: Deployment,
): boolean {
  return directOf(deployment) !== undefined && hasPeers(process, processes)
}

function peerListener(process: ProcessPlan): ListeningOn {
  return { process, what: 'the listener for peers', host: process.group.listen.host, port: process.port }
}

/** Finds listeners of one machine that want the same address. */
export function checkPorts(processes: readonly ProcessPlan[], deployment: Deployment): Finding[] {
  const all = listenersOf(processes, deployment)
  const found = new Map<string, Finding>()
  for (const [at, one] of all.entries()) {
    for (const other of all.slice(at + 1)) {
      if (!clashes(one, other) || machineOf(one) !== machineOf(other)) continue
      // Of two ranges of replicas the first clash tells enough.
      const name = [one, other].map(({ process, what }) => `${process.group.name} ${what}`).join()
      if (!found.has(name)) found.set(name, clash(one, other, deployment))
    }
  }
  return [...found.values()]
}

function clash(one: ListeningOn, other: ListeningOn, { name }: Deployment): Finding {
  const [first, second] = [one, other].map(({ what, process }) => `${what} of ${quoted(process.id)}`)
  return errorOf(
    'PORT_CLASH',
    `deployments.${name}.groups.${other.process.group.name}`,
    `${first} and ${second} both want port ${one.port} of ${one.host === other.host ? one.host : `${one.host} and ${other.host}`}.`,
  )
}

/** Where a process runs, as far as the addresses tell: what others reach under another name is another machine. */
function machineOf({ process: { group, replica } }: ListeningOn): string {
  const url = group.listen.urls?.[replica - 1]
  const host = url === undefined ? undefined : hostOf(url)
  return host === undefined || isLoopback(host) ? 'this' : host
}

/** The host of an address; undefined for what is none. */
export function hostOf(url: string): string | undefined {
  return URL.canParse(url) ? new URL(url).hostname.replace(/^\[(.*)\]$/, '$1') : undefined
}

/** Whether only this machine reaches a host. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)
}
