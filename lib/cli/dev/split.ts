import { watchedOf } from '../../system/dev/known-files.js'
import { readEnvironment } from '../../system/environment.js'
import { type Loaded, loadSystem } from '../../system/loading/load-system.js'
import type { Variables } from '../../system/secret.js'
import { chooseDeployment } from '../../system/supervise/choose-deployment.js'
import { localBrokers } from '../../system/supervise/local-brokers.js'
import type { Deployment } from '../../system/system.js'
import { deploymentOfDev, type ProcessPlan, processesOf, wholeSystem } from '../../system/topology.js'
import { type LogLines, logLines } from '../print/log-lines.js'
import { asCalled, type Begin, CalledWrongly, DEV_DRAIN_MS } from './dev-run.js'
import type { Assignment } from './messages.js'
import { Split } from './split-run.js'

/** Starts a deployment as processes of their own, in strict parity. */
export const begin: Begin = async (assignment, heard) => {
  const environment = asCalled(() => readEnvironment(process.env))
  let loaded: Loaded | undefined
  try {
    loaded = await loadSystem(assignment)
  } finally {
    heard.known(await watchedOf(assignment, loaded))
  }
  const drainMs = environment.drainMs ?? DEV_DRAIN_MS
  const deployment = chosen(assignment, loaded)
  const lines = linesOf(assignment, deployment)
  const say = (line: string) => lines.say('dev', line)
  const given = variablesFor(assignment, processesOf(deployment), drainMs)
  const brokers = await localBrokers(loaded, deployment, given, say)
  let split: Split | undefined
  try {
    split = new Split({ assignment, loaded, deployment, lines, drainMs, brokers, heard })
    await split.start()
    return split
  } catch (error) {
    await split?.kill()
    await brokers.close()
    throw error
  }
}

function chosen({ split }: Assignment, { system }: Loaded): Deployment {
  if (typeof split === 'string') return asCalled(() => chooseDeployment(system, split))
  // That of `dev` is the one for a single process.
  const first = [...system.deployments.values()].find(({ name }) => name !== 'dev')
  return first ?? deploymentOfDev(system) ?? wholeSystem(system)
}

function linesOf({ color }: Assignment, deployment: Deployment): LogLines {
  return logLines([...processesOf(deployment).map(({ id }) => id), 'dev'], { stdout: process.stdout, color })
}

/** The port of the first door travels in the environment, which all processes share. */
function variablesFor({ port }: Assignment, plans: readonly ProcessPlan[], drainMs: number): Variables {
  const variables = { ...process.env, LUCILIUS_DRAIN_MS: String(drainMs) }
  if (port === undefined) return variables
  const [transport] = plans.flatMap(({ outside }) => outside.map((door) => door.transport))
  if (transport === undefined) return variables
  const ids = plans.filter(({ outside }) => outside.some((door) => door.transport === transport)).map(({ id }) => id)
  if (port !== 0 && ids.length > 1) {
    throw new CalledWrongly(`'--port' is one port, and ${ids.join(', ')} would all listen on it: describe their ports.`)
  }
  return { ...variables, [`LUCILIUS_${transport.toUpperCase()}_PORT`]: String(port) }
}
