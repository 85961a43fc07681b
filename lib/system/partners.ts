import type { AddressBook } from './address-book.js'
import type { Deployment, Group } from './system.js'
import { areLinked, type ProcessPlan, processesOf } from './topology.js'

/** Names the processes of those groups of which none is known yet, so that what they will answer is waited for. */
export function nameAll(deployment: Deployment, addresses: AddressBook): void {
  const known = new Set(addresses.ids().map((id) => groupOf(deployment, id)?.name))
  for (const { id, group } of processesOf(deployment)) if (!known.has(group.name)) addresses.set(id, undefined)
}

/** Whether a process is another one, of a group that this one is linked to. */
export function isPartner(deployment: Deployment, process: ProcessPlan, id: string): boolean {
  const group = groupOf(deployment, id)
  return id !== process.id && group !== undefined && areLinked(process.group, group)
}

/** Whether a peer is of a group that this one is linked to: the apps of processes have the names of their groups. */
export function isLinked({ groups }: Deployment, { group }: ProcessPlan, peer: string): boolean {
  const other = groups.get(peer)
  return other !== undefined && areLinked(group, other)
}

/** A process is called like its group, with the number of the replica behind if there are several. */
export function groupOf({ groups }: Deployment, id: string): Group | undefined {
  return groups.get(id) ?? groups.get(id.replace(/\.\d+$/, ''))
}
