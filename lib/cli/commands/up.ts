import { basename, resolve } from 'node:path'
import { jsonLogger, type Logger } from '../../logger.js'
import { type About, type Control, findControl, openControl } from '../../system/control/index.js'
import { type Environment, readEnvironment } from '../../system/environment.js'
import { descriptionFolder } from '../../system/loading/description-folder.js'
import { type Loaded, loadSystem } from '../../system/loading/load-system.js'
import { openRecording, type Recording } from '../../system/recording.js'
import type { Variables } from '../../system/secret.js'
import { chooseDeployment } from '../../system/supervise/choose-deployment.js'
import { controlledOf } from '../../system/supervise/controlled-of.js'
import type { End } from '../../system/supervise/end.js'
import { type EndSignal, onEndSignals } from '../../system/supervise/end-signals.js'
import { localBrokers } from '../../system/supervise/local-brokers.js'
import { type RunningDeployment, runDeployment } from '../../system/supervise/run-deployment.js'
import type { SupervisorEvents } from '../../system/supervise/supervision.js'
import { unplaced } from '../../system/supervise/unplaced.js'
import type { Deployment } from '../../system/system.js'
import { processesOf } from '../../system/topology.js'
import { exitCodes } from '../exit-codes.js'
import type { Io } from '../io.js'
import { type LogLines, logLines } from '../print/log-lines.js'
import { tellDeath, tellHung, tellingEvents } from '../print/supervision.js'

/** Options of `lucilius up`. */
export interface UpOptions {
  /** The description, where it is not found by its name. */
  readonly config?: string
  /** How many processes of a group, for this run. */
  readonly replicas?: ReadonlyMap<string, number>
  /** The file that takes down what services send. */
  readonly record?: string
}

/** Runs a deployment as supervised processes until it is told to end, or a process is given up. */
export async function up([name]: readonly string[], options: UpOptions, io: Io): Promise<number> {
  const { config } = options
  const loaded = await loadSystem({ cwd: io.cwd, config })
  const { system } = loaded
  const deployment = chooseDeployment(system, name)
  const given = readEnvironment(io.env, deployment.groups.keys())
  const processes = processesOf(deployment, options.replicas)
  const lines = logLines([...processes.map(({ id }) => id), 'up'], io)
  for (const warning of given.warnings) lines.say('up', warning)
  const warnings = [...ignored(io.env), ...unplaced(system, deployment), ...(await besides(loaded, given))]
  for (const warning of warnings) lines.say('up', warning)
  const log = jsonLogger({
    level: given.logLevel ?? 'warn',
    write: (line) => lines.print('up', line.trimEnd()),
  })
  const recording = options.record === undefined ? undefined : await openRecording(resolve(io.cwd, options.record), log)
  const brokers = await localBrokers(loaded, deployment, io.env, (line) => lines.say('up', line))
  let code: number
  try {
    code = await untilEnd({
      loaded,
      deployment,
      ...brokers,
      config,
      options,
      io,
      lines,
      log,
      recording,
      count: processes.length,
    })
  } finally {
    await brokers.close()
    await recording?.close()
  }
  lines.say('up', code === exitCodes.done.code ? 'ended' : `ended, exit code ${code}`)
  return code
}

/** Everything that one run of the command knows. */
interface Run {
  readonly loaded: Loaded
  readonly deployment: Deployment
  readonly environment: Environment
  /** Those of this process, with where the brokers are that were started for this run. */
  readonly variables: Variables
  readonly config: string | undefined
  readonly options: UpOptions
  readonly io: Io
  readonly lines: LogLines
  readonly log: Logger
  readonly recording: Recording | undefined
  readonly count: number
}

/** What ends the run. */
type Reason = { readonly signal: EndSignal | 'SIGHUP' } | { readonly id: string; readonly end: End }

async function untilEnd(run: Run): Promise<number> {
  const { io, lines } = run
  let stop: (reason: Reason) => void = () => {}
  const reason = new Promise<Reason>((resolve) => {
    stop = resolve
  })
  const running = start(run, (id, end) => stop({ id, end }))
  let stopHearing = () => {}
  const second = new Promise<EndSignal>((resolve) => {
    stopHearing = onSignals(running, lines, (signal) => stop({ signal }), resolve)
  })
  const up = () => io.stdout.write(`up: ${run.count} ${run.count === 1 ? 'process' : 'processes'}\n`)
  running.ready.then(up, () => {}) // It is being closed.
  const control = openControlOf(run, running)
  const why = await reason
  if ('signal' in why) lines.say('up', `${why.signal}: draining`)
  else tellDeath(why.id, why.end, io)
  const last = await Promise.race([running.close(), second])
  if (typeof last === 'string') await running.kill()
  // Who asked by it had an answer by now.
  await (await control)?.close()
  stopHearing()
  if (typeof last === 'string') {
    return last === 'SIGINT' ? exitCodes.interrupted.code : exitCodes.terminated.code
  }
  for (const hung of last) tellHung(hung, io)
  return 'signal' in why && last.length === 0 ? exitCodes.done.code : exitCodes.failed.code
}

function start(
  { loaded, deployment, environment, variables, config, options, io, lines, log, recording }: Run,
  gaveUp: SupervisorEvents['gaveUp'],
): RunningDeployment {
  return runDeployment({
    loaded,
    deployment,
    environment,
    where: { cwd: io.cwd, config },
    replicas: options.replicas,
    variables,
    log,
    on: {
      ...tellingEvents(lines),
      ...(recording === undefined ? {} : { sent: (_, sending) => recording.take(sending) }),
      gaveUp,
    },
  })
}

/**
 * The first signal drains, a second ends at once. SIGHUP replaces process by process, where no terminal has gone away.
 * Returns what stops it.
 */
function onSignals(
  { supervisor }: RunningDeployment,
  lines: LogLines,
  first: (signal: EndSignal | 'SIGHUP') => void,
  second: (signal: EndSignal) => void,
): () => void {
  const stop = onEndSignals(first, second)
  const { stdin, stdout, stderr } = process
  const hasTerminal = [stdin, stdout, stderr].some(({ isTTY }) => isTTY)
  const hangUp = () => {
    if (hasTerminal) return first('SIGHUP')
    lines.say('up', 'SIGHUP: replacing all processes, one after the other')
    supervisor.roll().then(
      () => lines.say('up', 'all processes are replaced'),
      (error) => lines.say('up', `stopped replacing: a new process ${(error as Error).message}`),
    )
  }
  process.on('SIGHUP', hangUp)
  return () => {
    stop()
    process.off('SIGHUP', hangUp)
  }
}

/** Without its control socket a system runs on; the commands that ask it cannot reach it. */
async function openControlOf(
  { loaded, deployment, environment, lines }: Run,
  running: RunningDeployment,
): Promise<Control | undefined> {
  const folder = descriptionFolder(loaded)
  const name = loaded.system.name ?? basename(folder)
  const about = () => ({
    name,
    deployment: deployment.name,
    processes: running.supervisor.processes.map(({ id, pid, url, doors }) => ({ id, pid, url, doors })),
  })
  try {
    const place = { folder, what: `up-${deployment.name}`, runDir: environment.runDir }
    return await openControl(place, { ...controlledOf(running), about })
  } catch (error) {
    lines.say('up', (error as Error).message)
    return undefined
  }
}

/** Whether `up` runs this system already. Two of them may run beside each other, and then know nothing of each other. */
async function besides(loaded: Loaded, { runDir }: Environment): Promise<readonly string[]> {
  let other: About | undefined
  const note = (about: About) => {
    if (about.what.startsWith('up-')) other = about
    return other !== undefined
  }
  const found = await findControl(descriptionFolder(loaded), runDir, note)
  found?.close()
  if (other === undefined) return []
  const { deployment, pid } = other
  return [
    `'up ${deployment}' runs here already, pid ${pid}: the two know nothing of each other, what is to be there once is there twice, and a port that is described is taken`,
  ]
}

/** Variables that make sense for one process only. */
function ignored(env: Io['env']): string[] {
  const names = ['LUCILIUS_PORT', 'LUCILIUS_REPLICA'].filter((name) => env[name] !== undefined && env[name] !== '')
  return names.map((name) => `${name} is for one process, and 'up' starts several: it is ignored`)
}
