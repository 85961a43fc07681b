import type { Environment } from '../environment.js'
import { peersVariable } from '../peers-variable.js'
import type { Deployment, Group } from '../system.js'
import type { ProcessPlan } from '../topology.js'
import { directOf } from '../transports-used.js'
import { errorOf, type Finding } from './finding.js'
import { hasPeers, hostOf, isLoopback } from './listeners.js'
import { quoted } from './words.js'

/** What a plan has to know of the environment. */
export type Around = Pick<Environment, 'secret' | 'listen' | 'peers'> &
  Partial<Pick<Environment, 'brokers' | 'discovery'>>

/** Finds out whether processes talk to each other beyond this machine, and without a secret. */
export function checkSecret(
  processes: readonly ProcessPlan[],
  deployment: Deployment,
  environment: Around | undefined,
): Finding[] {
  // A broker asks each who it is, and not for the secret.
  if (environment?.secret !== undefined || directOf(deployment) === undefined) return []
  const open = processes.find(
    (process) => hasPeers(process, processes) && hostsOf(process.group, environment).some((host) => !isLoopback(host)),
  )
  if (open === undefined) return []
  const facts = `${quoted(open.id)} talks to other processes beyond this machine, and there is no secret by which they know each other.`
  const cure = 'Set LUCILIUS_SECRET or LUCILIUS_SECRET_FILE, the same for all.'
  return [
    errorOf('SECRET_MISSING', `deployments.${deployment.name}.groups.${open.group.name}.listen`, `${facts} ${cure}`),
  ]
}

/** Where a group listens, and where the others reach it. */
export function hostsOf({ name, listen }: Group, environment: Around | undefined): string[] {
  const urls = environment?.peers.get(peersVariable(name)) ?? listen.urls ?? []
  return [environment?.listen.host ?? listen.host, ...urls.flatMap((url) => hostOf(url) ?? [])]
}
