import { randomBytes } from 'node:crypto'
import type { App } from '../app.js'
import { LuciliusError } from '../errors.js'
import { checkKeys } from '../option-checks.js'
import { AddressBook } from '../system/address-book.js'
import { defineSystem, isSystem } from '../system/define-system.js'
import type { SystemDescription } from '../system/description.js'
import { type Running, runProcess } from '../system/run.js'
import type { System } from '../system/system.js'
import { processesOf } from '../system/topology.js'
import { type Recorded, Recorder } from './recorder.js'
import { inShape, type Shape, toShape } from './shape.js'

export type { Shape } from './shape.js'

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
}

/** A running system in a test. */
export interface TestSystem extends AsyncDisposable {
  /** Sends a message as somebody who is no service of the system. */
  readonly act: App['act']
  /** Emits an event likewise. */
  readonly emit: App['emit']
  /** The messages that passed so far, in the order in which they came to their handlers or were emitted. */
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
  given: System | SystemDescription,
  options: TestSystemOptions = {},
): Promise<TestSystem> {
  const { shape, mocks = {}, only } = checkKeys<TestSystemOptions>('testSystem', options, ['shape', 'mocks', 'only'])
  const recorder = new Recorder()
  const { system, deployment, tester } = inShape(
    isSystem(given) ? given : defineSystem(given),
    toShape(shape),
    checkOnly(only),
    { recorder, mocks },
  )
  const processes = processesOf(deployment)
  const addresses = new AddressBook()
  const running: Running[] = []
  try {
    running.push(...(await startAll()))
  } catch (error) {
    await closeAll()
    throw error
  }
  const { app } = (running.find((_, at) => processes[at]?.id === tester) ?? running[0] as Running).host
  return {
    act: app.act,
    emit: app.emit,
    messages: recorder.messages,
    close: closeAll,
    [Symbol.asyncDispose]: closeAll,
  }
}
