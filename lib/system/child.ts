/**
 * The program of a process that `lucilius up` starts. It runs what its argument says, tells its parent how it fares, and
 * leaves the order of ending to it: of SIGINT and SIGHUP, which a terminal sends to all processes, it takes no notice, and
 * at SIGTERM it asks for its turn; at a second one, and without its parent, it drains and ends.
 */
import { LuciliusError } from '../errors.js'
import { jsonLogger, type Logger } from '../logger.js'
import { AddressBook } from './address-book.js'
import { readEnvironment } from './environment.js'
import { type ChildMessage, type ParentMessage, toParentMessage } from './ipc.js'
import { describeLoadError } from './loading/describe-load-error.js'
import { loadSystem } from './loading/load-system.js'
import { registerTypeScript } from './loading/register-typescript.js'
import { overridden } from './overridden.js'
import { type Running, runProcess } from './run.js'
import { readSecret } from './secret.js'
import { fromArgument } from './supervise/assignment.js'
import { isFinal } from './supervise/is-final.js'
import { processesOf, wholeSystem } from './topology.js'

/** Milliseconds for which it waits for its turn after SIGTERM: its parent may be stuck. */
const TURN_MS = 10_000

/** Milliseconds that a drain may take beyond `drainMs`, for the onClose hooks; a parent that is there kills it before. */
const CLOSE_MS = 6_000

const addresses = new AddressBook()
let log: Logger = jsonLogger()
let isEnding = false

// A parent that died reads no more: what is printed is lost, and that is all.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
for (const signal of ['SIGINT', 'SIGHUP'] as const) process.on(signal, () => {})
let isLeaving = false
process.on('SIGTERM', () => {
  if (isLeaving || !process.connected) return end()
  isLeaving = true
  void tell({ type: 'leaving' })
  setTimeout(() => end(), TURN_MS).unref()
})
process.on('disconnect', () => end())
process.on('message', (value) => {
  const message = toParentMessage(value)
  if (message !== undefined) heed(message)
})
process.on('uncaughtException', (error) => {
  log.fatal({ err: error }, 'uncaught exception: the process drains and ends')
  void tell({ type: 'failed', message: describeLoadError(error).message })
  end(1)
})

const starting = start()
starting.then(tellFiles, async (error) => {
  // What was started is closed already. Whoever watches its files may start it again when one of them is mended.
  await tellFiles()
  await tell({ type: 'failed', ...describeLoadError(error), ...(isFinal(error) ? { final: true } : {}) })
  process.exit(1)
})

async function start(): Promise<Running> {
  const { cwd, config, deployment: name, process: id, replicas = {}, parity } = fromArgument(process.argv[2])
  const environment = readEnvironment(process.env)
  log = jsonLogger({ level: environment.logLevel ?? 'info' })
  const loaded = await loadSystem({ cwd, config })
  const deployment = name === undefined ? wholeSystem(loaded.system) : loaded.system.deployments.get(name)
  if (deployment === undefined) throw gone(`The deployment '${name}'`)
  const plans = processesOf(deployment, new Map(Object.entries(replicas)))
  const plan = plans.find((one) => one.id === id)
  if (plan === undefined) throw gone(`The process '${id}'`)
  // Who is not there yet will come.
  for (const { id } of plans) addresses.set(id, addresses.urlOf(id))
  const running = await runProcess(
    {
      loaded,
      deployment,
      process: overridden(plan, environment),
      addresses,
      secret: readSecret(process.env),
      environment,
      log,
      reachable: true,
      ...(parity === undefined ? {} : { parity }),
    },
    { onListening: (url) => void tell({ type: 'listening', url }) },
  )
  await tell({ type: 'ready', doors: running.doors.map(({ transport, url }) => ({ transport, url })) })
  return running
}

async function tellFiles(): Promise<void> {
  await tell({ type: 'files', files: await registerTypeScript().files() })
}

function heed(message: ParentMessage): void {
  if (message.type === 'drain') end()
  if (message.type === 'addresses') {
    for (const id of addresses.ids()) if (!Object.hasOwn(message.addresses, id)) addresses.set(id, undefined)
    for (const [id, url] of Object.entries(message.addresses)) addresses.set(id, url)
  }
}

/** Drains and ends, once. */
function end(code = 0): void {
  if (isEnding) return
  isEnding = true
  void drain(code)
}

async function drain(code: number): Promise<void> {
  const running = await starting.catch(() => undefined)
  if (running === undefined) return // What kept it from starting ends it, too.
  // A hook that hangs, and no parent that would kill us.
  setTimeout(() => process.exit(1), running.drainMs + CLOSE_MS).unref()
  try {
    const { hung } = await running.close()
    await tell({ type: 'drained', hung })
    process.exit(hung.length > 0 ? 1 : code)
  } catch (error) {
    log.error({ err: error }, 'the process could not be closed in order')
    process.exit(1)
  }
}

/** Resolves when the parent has it, or is gone. */
function tell(message: ChildMessage): Promise<void> {
  return new Promise((resolve) => {
    if (!process.connected || process.send === undefined) return resolve()
    process.send(message, undefined, undefined, () => resolve())
  })
}

function gone(what: string): LuciliusError {
  return new LuciliusError('LUC_OPTIONS_INVALID', `${what} is in the description no more.`)
}
