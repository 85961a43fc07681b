import { type ChildProcess, fork } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Conditions } from './conditions.js'
import type { Subject } from './subject.js'

/** Frameworks that the same system is built with, for comparison. */
export const frameworks = ['moleculer', 'cote'] as const
export type Framework = (typeof frameworks)[number]

/** What a process of another framework is to run. Travels as its argument. */
export interface Part extends Conditions {
  readonly framework: Framework
  readonly service: 'rates' | 'convert' | 'ask'
  /** By which the processes of a run find each other, and no others. */
  readonly key: string
}

/** The processes, in the order in which they end: those who ask first. */
const services = { ask: 'ask', 'convert.1': 'convert', 'convert.2': 'convert', rates: 'rates' } as const
type Id = keyof typeof services

/** Milliseconds after which a process that died is started again: what `lucilius up` waits the first time. */
const RESTART_MS = 100

/** Milliseconds in which all processes have to be ready for the first time. */
const START_MS = 60_000

/** Milliseconds that a process may take to end in order. */
const END_MS = 15_000

const program = fileURLToPath(new URL('./peer.js', import.meta.url))

/** Runs the system of another framework: who dies is started again, who is to be replaced stays until the other is ready. */
export async function startPlain(framework: Framework, given: Conditions): Promise<Subject> {
  const system = new Plain(framework, given)
  const late = pause(START_MS, undefined, { ref: false }).then(() => {
    throw new Error(`${framework} was not ready after ${START_MS / 1000} s`)
  })
  try {
    await Promise.race([Promise.all(system.ids.map((id) => system.start(id))), late])
    return system
  } catch (error) {
    system.kill()
    throw error
  }
}

class Plain implements Subject {
  readonly ids = Object.keys(services) as readonly Id[] // They are its keys.
  readonly #part: Omit<Part, 'service'>
  readonly #children = new Set<ChildProcess>()
  /** Who was last ready in each place. */
  readonly #holders = new Map<Id, ChildProcess>()
  /** Who was asked to end. */
  readonly #leaving = new WeakSet<ChildProcess>()
  readonly #heard = new EventEmitter().setMaxListeners(0)
  #isOver = false

  constructor(framework: Framework, given: Conditions) {
    this.#part = { ...given, framework, key: `chaos-${process.pid}-${Date.now()}` }
  }

  async start(id: Id): Promise<void> {
    const part: Part = { ...this.#part, service: services[id] }
    const child = fork(program, [JSON.stringify(part)], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
    this.#children.add(child)
    child.once('exit', () => {
      this.#children.delete(child)
      if (this.#leaving.has(child)) return
      setTimeout(() => this.#isOver || void this.start(id), RESTART_MS)
    })
    await once(child, 'message')
    this.#holders.set(id, child)
    this.#heard.emit('ready')
  }

  pidOf(id: Id): number {
    return this.#holders.get(id)?.pid as number // Each was ready once.
  }

  async replaced(id: Id, pid: number): Promise<void> {
    while (this.pidOf(id) === pid) await once(this.#heard, 'ready')
  }

  roll(id: Id): void {
    const old = this.#holders.get(id)
    void this.start(id).then(() => this.#ended(old))
  }

  async end(): Promise<void> {
    this.#isOver = true
    for (const id of this.ids) await this.#ended(this.#holders.get(id))
    await Promise.all([...this.#children].map((child) => this.#ended(child)))
  }

  kill(): void {
    this.#isOver = true
    for (const child of this.#children) child.kill('SIGKILL')
  }

  async #ended(child: ChildProcess | undefined): Promise<void> {
    if (child === undefined || !this.#children.has(child)) return
    this.#leaving.add(child)
    const exited = once(child, 'exit')
    child.kill('SIGTERM')
    const late = pause(END_MS, undefined, { ref: false }).then(() => child.kill('SIGKILL'))
    await Promise.race([exited, late])
  }
}
