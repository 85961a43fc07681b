/**
 * The program of a process that `lucilius up` starts. It runs what its argument says, tells its parent how it fares, and
 * leaves the order of ending to it: of SIGINT and SIGHUP, which a terminal sends to all processes, it takes no notice, and
 * at SIGTERM it asks for its turn. At a second one, without its parent, and while it starts, it drains and ends.
 */
import { LuciliusError } from '../errors.js'
import { jsonLogger, type Logger } from '../logger.js'
import { toWireError } from '../wire-error.js'
import { AddressBook } from './address-book.js'
import { endMsOf, START_END_MS } from './end-limits.js'
import { readEnvironment } from './environment.js'
import { type ChildMessage, type ParentMessage, sealed, toParentMessage } from './ipc.js'
import { describeLoadError } from './loading/describe-load-error.js'
import { loadSystem } from './loading/load-system.js'
import { registerTypeScript } from './loading/register-typescript.js'
import { overridden } from './overridden.js'
import { type Looking, lookingOn } from './passing.js'
import { distinctSendings } from './recording.js'
import { type Running, runProcess } from './run.js'
import { forgetSecrets } from './secret.js'
import { askingStore, type StoreQuestion } from './store-questions.js'
import { storeToAsk } from './store-to-ask.js'
import { fromArgument } from './supervise/assignment.js'
import { isFinal, isTaken } from './supervise/is-final.js'
import { processesOf, wholeSystem } from './topology.js'

/** Milliseconds for which it waits for an answer after SIGTERM: its parent may be stuck. */
const ANSWER_MS = 10_000

/** Milliseconds in which its parent, if there is one, kills it before it ends itself. */
const PARENT_MS = 1_000

const addresses = new AddressBook()
let log: Logger = jsonLogger()
let isReady = false
let isEnding = false
/** What it exits with if it drains in order. */
let exitCode: 0 | 1 = 0
/** Set while it is leaving. Runs until the parent answers. */
let asking: NodeJS.Timeout | undefined
/** The parent wants to know what passes. */
let looking: Looking | undefined

// A parent that died reads no more: what is printed is lost, and that is all.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
for (const signal of ['SIGINT', 'SIGHUP'] as const) process.on(signal, () => {})
process.on('SIGTERM', () => {
  if (asking !== undefined || !isReady || !process.connected) return end()
  asking = setTimeout(() => end(), ANSWER_MS).unref()
  void tell({ type: 'leaving' })
})
process.on('disconnect', () => end())
process.on('message', (value) => {
  const message = toParentMessage(value)
  if (message !== undefined) heed(message)
})
process.on('uncaughtException', (error) => {
  exitCode = 1
  log.fatal({ err: error }, 'uncaught exception: the process drains and ends')
  void tell({ type: 'failed', message: describeLoadError(error).message })
  end()
})

const starting = start()
starting.then(tellFiles, async (error) => {
  // What was started is closed already. Whoever watches its files may start it again when one of them is mended.
  await tellFiles()
  if (isEnding) process.exit(exitCode)
  const further = { ...(isFinal(error) ? { final: true } : {}), ...(isTaken(error) ? { taken: true } : {}) }
  await tell({ type: 'failed', ...describeLoadError(error), ...further })
  process.exit(1)
})

async function start(): Promise<Running> {
  const assignment = fromArgument(process.argv[2])
  const { cwd, config, deployment: name, process: id, replicas = {}, parity, record, closed } = assignment
  const environment = readEnvironment(process.env)
  forgetSecrets()
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
      secret: environment.secret,
      environment,
      processes: plans.length,
      log,
      reachable: true,
      quietConnections: true,
      ...(closed === true ? { lookedFor: new Set<string>() } : {}),
      ...(parity === undefined ? {} : { parity }),
      ...(record === true ? { onSend: distinctSendings((sending) => void tell({ type: 'sent', sending })) } : {}),
    },
    { onListening: (url) => void tell({ type: 'listening', url }) },
  )
  isReady = true
  if (isEnding) return running
  const doors = running.doors.map(({ transport, url }) => ({ transport, url }))
  await tell({ type: 'ready', doors, instance: running.host.instance })
  return running
}

async function tellFiles(): Promise<void> {
  await tell({ type: 'files', files: await registerTypeScript().files() })
}

function heed(message: ParentMessage): void {
  if (message.type === 'drain') end()
  if (message.type === 'wait') clearTimeout(asking)
  if (message.type === 'ask') void answer(message.id, message.question)
  if (message.type === 'lookOn') void lookOn(message.id, message.on)
  if (message.type === 'stay') {
    clearTimeout(asking)
    asking = undefined
  }
  if (message.type === 'addresses') {
    for (const id of addresses.ids()) if (!Object.hasOwn(message.addresses, id)) addresses.set(id, undefined)
    for (const [id, url] of Object.entries(message.addresses)) addresses.set(id, url)
  }
}

/** Asks the store for whoever supervises this process. */
async function answer(id: number, question: StoreQuestion): Promise<void> {
  const ask = askingStore(async () => storeToAsk((await starting).host))
  await ask(question).then(
    (reply) => tell({ type: 'answer', id, reply }),
    (error) => tell({ type: 'answer', id, error: toWireError(error) }),
  )
}

/** Tells what passed, and what passes from now on, or from its start on, until it is told to stop. */
async function lookOn(id: number, on: boolean): Promise<void> {
  const running = await starting.catch(() => undefined)
  if (running === undefined) return
  void looking?.stop() // it tells at once
  looking = on ? lookingOn(running)((batch) => void tell({ type: 'passed', batch })) : undefined
  await tell({ type: 'answer', id })
}

/** Drains and ends, once. */
function end(): void {
  if (isEnding) return
  isEnding = true
  void drain()
}

async function drain(): Promise<void> {
  if (!isReady) setTimeout(() => isReady || process.exit(exitCode), START_END_MS)
  const running = await starting.catch(() => undefined)
  if (running === undefined) return // What kept it from starting ends it, too.
  // A hook that hangs, and no parent that would kill us.
  setTimeout(() => process.exit(1), endMsOf(running.drainMs) + PARENT_MS).unref()
  try {
    const { hung } = await running.close()
    await tell({ type: 'drained', hung })
    process.exit(hung.length > 0 ? 1 : exitCode)
  } catch (error) {
    log.error({ err: error }, 'the process could not be closed in order')
    await tell({ type: 'failed', message: describeLoadError(error).message })
    process.exit(1)
  }
}

/** Resolves when the parent has it, or is gone. */
function tell(message: ChildMessage): Promise<void> {
  return new Promise((resolve) => {
    if (!process.connected || process.send === undefined) return resolve()
    process.send(sealed(message), undefined, undefined, () => resolve())
  })
}

function gone(what: string): LuciliusError {
  return new LuciliusError('LUC_OPTIONS_INVALID', `${what} is in the description no more.`)
}
