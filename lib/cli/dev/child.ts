/**
 * The program of the process that runs a system for `lucilius dev`. It does what the process at the terminal tells it. Of
 * signals that a terminal sends to all it takes no notice, and without the other process it ends.
 */
import { describeLoadError } from '../../system/loading/describe-load-error.js'
import { type Begin, CalledWrongly, Described, type DevRun } from './dev-run.js'
import { type Assignment, type DevOrder, type DevReport, opened, sealed } from './messages.js'

let run: Promise<DevRun> | undefined
let isEnding = false
let cwd = process.cwd()

for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {}) // nobody reads any more
for (const signal of ['SIGINT', 'SIGHUP'] as const) process.on(signal, () => {})
process.on('SIGTERM', () => end())
process.on('disconnect', () => end())
process.on('message', (value) => {
  const order = opened<DevOrder>(value)
  if (order?.type === 'go') void go(order.assignment)
  if (order?.type === 'changed') void change(order.files)
  if (order?.type === 'drain') end()
})
process.on('uncaughtException', (error, origin) => {
  const what = origin === 'unhandledRejection' ? 'unhandled rejection' : 'uncaught exception'
  const { message, frame } = describeLoadError(error, cwd)
  fail({ type: 'failed', failure: { message: `${what}: ${message}`, ...(frame === undefined ? {} : { frame }) } })
})
process.on('exit', (code) => {
  // Somebody in here has called process.exit, and stands on the stack.
  if (isEnding) return
  const { message, frame } = describeLoadError(new Error(`process.exit(${code}) was called`), cwd)
  void tell({ type: 'failed', failure: { message, ...(frame === undefined ? {} : { frame }) } })
})

// While the process before it ends, this one gets ready.
const loading: Promise<{ readonly begin: Begin }> =
  process.argv[2] === 'split' ? import('./split.js') : import('./whole.js')

async function go(assignment: Assignment): Promise<void> {
  cwd = assignment.cwd
  run = loading.then(({ begin }) =>
    begin(assignment, {
      known: (watched) => void tell({ type: 'watched', watched }),
      sent: (sending) => void tell({ type: 'sent', sending }),
    }),
  )
  try {
    const running = await run
    const { about, failed } = running
    await tell({ type: 'watched', watched: await running.watched() })
    await tell({ type: 'ready', about })
    await failed
  } catch (error) {
    if (isEnding) return
    const usage = error instanceof CalledWrongly
    const failure = error instanceof Described ? error.failure : described(error)
    fail({ type: 'failed', failure, ...(usage ? { usage } : {}) })
  }
}

function described(error: unknown): { readonly message: string; readonly frame?: string } {
  const { message, frame } = describeLoadError(error instanceof CalledWrongly ? error.cause : error, cwd)
  return { message, ...(frame === undefined ? {} : { frame }) }
}

async function change(files: readonly string[]): Promise<void> {
  await tell({ type: 'heard' })
  try {
    const running = await run
    if (running === undefined) return
    const outcome = await running.change(files)
    await tell({ type: 'watched', watched: await running.watched() })
    await tell({ type: 'changed', outcome, doors: running.doors })
  } catch (error) {
    // Nothing of it is expected to fail, so nobody knows what runs now.
    const outcome = { done: [], failures: [describeLoadError(error, cwd)], restart: 'a change could not be taken in' }
    await tell({ type: 'changed', outcome, doors: [] })
  }
}

/** Tells why, and ends. What was started is closed if that takes no longer than a moment. */
function fail(report: DevReport): void {
  if (isEnding) return
  isEnding = true
  void tell(report).then(() => process.exit(1))
}

/** Drains and ends, once. */
function end(): void {
  if (isEnding) return
  isEnding = true
  void drain()
}

async function drain(): Promise<void> {
  const running = await run?.catch(() => undefined)
  if (running === undefined) process.exit(0)
  setTimeout(() => process.exit(1), running.endMs).unref() // a hook that hangs
  try {
    const hung = await running.close()
    await tell({ type: 'drained', hung })
    process.exit(hung.length > 0 ? 1 : 0)
  } catch (error) {
    await tell({ type: 'drained', hung: [described(error).message] })
    process.exit(1)
  }
}

/** Resolves when it is told, or nobody is there. */
function tell(report: DevReport): Promise<void> {
  return new Promise((resolve) => {
    if (!process.connected || process.send === undefined) return resolve()
    process.send(sealed(report), undefined, undefined, () => resolve())
  })
}
