import { randomBytes } from 'node:crypto'
import type { App, Plugin } from '../app.js'
import { jsonLogger, type Logger, toLogger } from '../logger.js'
import { checkKeys } from '../option-checks.js'
import type { EventStore } from '../store.js'
import { AddressBook } from '../system/address-book.js'
import { defineSystem, isSystem } from '../system/define-system.js'
import type { SystemDescription } from '../system/description.js'
import { type Running, runProcess } from '../system/run.js'
import type { Deployment, System } from '../system/system.js'
import { processesOf } from '../system/topology.js'
import { MOCKS, mocksOf } from './mocks.js'
import { type Recorded, Recorder } from './recorder.js'
import { chosenServices, deploymentOf, type Shape, TESTER, toShape } from './shape.js'
import { temporaryStore } from './temporary-store.js'

/** How {@link testSystem} runs a system. */
export interface TestSystemOptions {
  /**
   * `local`: one app, messages handed over as in production. `parity`, the default: one app, every message checked and
   * copied as if it were remote. `split`: an app for each service, joined by WebSocket on loopback.
   */
  readonly shape?: Shape
  /** Answers in place of actions: a value, a function `(message, context) => reply`, or an error, by pattern. */
  readonly mocks?: { readonly [pattern: string]: unknown }
  /** The only services that run; all unless given. */
  readonly only?: readonly string[]
  /** As for an app: `false` is silent, `true` writes JSON lines to stdout. Errors go to stderr unless given. */
  readonly logger?: boolean | Logger
}

/** A running system in a test. */
export interface TestSystem extends AsyncDisposable {
  /** Sends a message as somebody who is no service of the system. */
  readonly act: App['act']
  /** Emits an event likewise. */
  readonly emit: App['emit']
  /**
   * The messages that passed so far, in the order in which they came to their handlers or were emitted. Where a caller got
   * `LUC_ACTION_FAILED`, `messages[n].error` holds what the handler threw.
   */
  readonly messages: readonly Recorded[]
  /** Drains and closes all of it. */
  close(): Promise<void>
}

/**
 * Starts a system for a test, without doors to the outside. Resolves when all of it is ready and knows each other.
 *
 * Rejects with `LUC_OPTIONS_INVALID` for a wrong description or option, and with what keeps a service from starting.
 *
 * @example
 * ```ts
 * import { testSystem } from 'lucilius/testing'
 *
 * const system = await testSystem({ services: { greet: async () => greet } }, { shape: 'split' })
 * console.log(await system.act('role:greet', { name: 'Ada' }))
 * await system.close()
 *
 * function greet(app) {
 *   app.add('role:greet', ({ name }) => ({ text: `Hello ${name}` }))
 * }
 * ```
 */
export async function testSystem(
  description: System | SystemDescription,
  options: TestSystemOptions = {},
): Promise<TestSystem> {
  const given = checkKeys<TestSystemOptions>('testSystem', options, ['shape', 'mocks', 'only', 'logger'])
  const { mocks, only } = given
  const shape = toShape(given.shape)
  const log = given.logger === undefined ? errorsToStderr() : toLogger(given.logger)
  const described = isSystem(description) ? description : defineSystem(description)
  const recorder = new Recorder()
  const system = withPlugins(described, { '(recorder)': recorder.plugin(), [MOCKS]: mocksOf(mocks) })
  const kept = temporaryStore()
  const running = await start(system, deploymentOf(shape, chosenServices(system, only)), {
    shape,
    recorder,
    log,
    store: kept.store,
  }).catch((error) => {
    kept.remove()
    throw error
  })
  const tester = running.find(({ id }) => id === TESTER) as Running // each shape has one
  const close = async () => {
    // First, so that the others have what it sent before they drain.
    await tester.close()
    await closeAll(running)
    kept.remove()
  }
  const { app } = tester.host
  return { act: app.act, emit: app.emit, messages: recorder.messages, close, [Symbol.asyncDispose]: close }
}

function errorsToStderr(): Logger {
  return jsonLogger({ level: 'error', write: (line) => process.stderr.write(line) })
}

/** The system with more plugins in every process, behind its own. */
function withPlugins(system: System, plugins: { readonly [name: string]: Plugin }): System {
  const more = Object.entries(plugins).map(
    ([name, plugin]) => [name, { name, module: async () => plugin, options: undefined }] as const,
  )
  return { ...system, plugins: new Map([...system.plugins, ...more]) }
}

/** How the processes of a test run. */
interface StartOptions {
  readonly shape: Shape
  readonly recorder: Recorder
  readonly log: Logger
  readonly store: EventStore
}

async function start(
  system: System,
  deployment: Deployment,
  { shape, recorder, log, store }: StartOptions,
): Promise<Running[]> {
  const addresses = new AddressBook()
  const shared = {
    loaded: { system, file: undefined, folder: system.root ?? process.cwd() },
    deployment,
    addresses,
    secret: randomBytes(32).toString('base64url'),
    environment: { drainMs: undefined },
    log,
    store,
    parity: shape === 'local' ? 'off' : 'strict',
    onSend: recorder.onSend,
  } as const
  const starting = processesOf(deployment).map((one) => runProcess({ ...shared, process: one }))
  const started = await Promise.allSettled(starting)
  const running = started.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
  const failed = started.find((one) => one.status === 'rejected')
  if (failed !== undefined) {
    await closeAll(running).catch(() => {}) // what kept it from starting is the news
    throw failed.reason
  }
  await Promise.all(running.map((one) => one.known()))
  return running
}

async function closeAll(running: readonly Running[]): Promise<void> {
  const ended = await Promise.allSettled(running.map((one) => one.close()))
  for (const one of ended) if (one.status === 'rejected') throw one.reason
}
