import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import { type ChildMessage, type Door, type ParentMessage, sealed, toChildMessage } from '../ipc.js'
import type { StoreQuestion } from '../store-questions.js'
import { type End, EndedEarly } from './end.js'
import { Lines } from './lines.js'
import { Questions } from './questions.js'

/** What to start. */
export interface Launch {
  /** The file of the program. */
  readonly entry: string
  readonly args: readonly string[]
  readonly env: NodeJS.ProcessEnv
  /** Milliseconds that it may take to end once it was asked to; then it is killed. */
  readonly endMs: number
}

/** Who hears of a child. */
export interface ChildEvents {
  /** A line that it printed. */
  line(line: string, stream: 'stdout' | 'stderr'): void
  /** What it told. */
  told(message: ChildMessage): void
  /** It takes no new work from here on: it is asked to end, or gone. Called once. */
  withdrawn(): void
}

/** Lines of stderr that are kept to tell why it died. */
const KEPT_LINES = 10

/** Milliseconds for what was printed last: a process of its own that holds the pipe open must not keep us. */
const LAST_WORDS_MS = 200

/** Milliseconds in which it tells what passed, if it is not busy with something else. */
const LOOK_MS = 1_000

/** One child process, from its start to its end. */
export class Child {
  /** Resolves when its services have started; rejects with `EndedEarly`. */
  readonly ready: Promise<void>
  /** Resolves when it has ended and all that it printed was read. */
  readonly ended: Promise<End>
  /** It was asked to end, or asked for it: whatever comes of it is no failure. */
  leaving = false
  /** It takes no new work any more. */
  isWithdrawn = false
  /** It is ready and has not ended. */
  isReady = false
  /** Where its peers reach it, once it listens. */
  url: string | undefined = undefined
  /** Its doors to the outside, once it is ready. */
  doors: readonly Door[] = []
  /** How its peers know it, once it is ready. */
  instance: string | undefined = undefined
  readonly #process: ChildProcess
  readonly #launch: Launch
  readonly #events: ChildEvents
  readonly #lastLines: string[] = []
  readonly #questions = new Questions()
  #failure: End['failure']
  #hung: End['hung']
  #killer: NodeJS.Timeout | undefined
  #late = false
  #wasReady = false
  #exited = false
  #nowReady: (() => void) | undefined

  constructor(launch: Launch, events: ChildEvents) {
    this.#launch = launch
    this.#events = events
    const { entry, args, env } = launch
    // An inspector has its port from the command line: a second process cannot have the same.
    const execArgv = process.execArgv.filter((arg) => !arg.startsWith('--inspect'))
    this.#process = fork(entry, args, { env, execArgv, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] })
    this.#process.on('message', (value) => this.#told(value))
    this.#read('stdout')
    this.#read('stderr')
    this.ended = this.#end()
    const ready = new Promise<void>((resolve) => {
      this.#nowReady = resolve
    })
    this.ready = Promise.race([ready, this.ended.then((end) => Promise.reject(new EndedEarly(end)))])
    this.ready.catch(() => {}) // Whoever waits hears of it; nobody has to.
  }

  get pid(): number | undefined {
    return this.#process.pid
  }

  /** Tells it something; one that is ending is told nothing. */
  tell(message: ParentMessage): void {
    if (this.#process.connected) this.#process.send(sealed(message), () => {}) // It went away in this very moment: its end is told.
  }

  /** Asks its store. Rejects with what that says, and with `LUC_REPLY_LOST` if it ends before. */
  ask(question: StoreQuestion): Promise<unknown> {
    return this.#questions.ask((id) => this.tell({ type: 'ask', id, question }))
  }

  /**
   * Whether it is to tell what passes there. Resolves when it does, and has told what passed before, with whether it said
   * so: one that starts will do it then, and one that is busy is not waited for.
   */
  lookOn(on: boolean): Promise<boolean> {
    const done = this.#questions
      .ask((id) => this.tell({ type: 'lookOn', id, on }), LOOK_MS)
      .then(
        () => true,
        () => false,
      )
    return this.isReady ? done : Promise.resolve(false)
  }

  /** Nothing could take its place: what it asked for is forgotten. */
  stay(): void {
    this.leaving = false
    this.tell({ type: 'stay' })
  }

  /** Asks it to finish what runs, and kills it if that takes too long. Resolves when it has ended. */
  drain(): Promise<End> {
    this.leaving = true
    if (this.#exited) return this.ended
    this.#withdraw()
    this.tell({ type: 'drain' })
    this.#killer ??= setTimeout(() => {
      this.#late = true
      this.kill()
    }, this.#launch.endMs)
    return this.ended
  }

  /** Ends it at once. */
  kill(): void {
    // By the handle, which knows whether the process is still there: its id may be somebody else's by now.
    if (!this.#exited) this.#process.kill('SIGKILL')
  }

  #withdraw(): void {
    if (this.isWithdrawn) return
    this.isWithdrawn = true
    this.#events.withdrawn()
  }

  #told(value: unknown): void {
    const message = toChildMessage(value)
    if (message === undefined) return
    if (message.type === 'listening') this.url = message.url
    if (message.type === 'ready') {
      this.doors = message.doors
      this.instance = message.instance
      this.isReady = true
      this.#wasReady = true
      this.#nowReady?.()
    }
    if (message.type === 'leaving') {
      this.leaving = true
      this.tell({ type: 'wait' })
    }
    if (message.type === 'drained') this.#hung = message.hung
    if (message.type === 'answer') this.#questions.answered(message)
    if (message.type === 'failed') this.#failure = message
    this.#events.told(message)
  }

  #read(stream: 'stdout' | 'stderr'): void {
    const lines = new Lines((line) => {
      if (stream === 'stderr') {
        this.#lastLines.push(line)
        if (this.#lastLines.length > KEPT_LINES) this.#lastLines.shift()
      }
      this.#events.line(line, stream)
    })
    const output = this.#process[stream]
    output?.setEncoding('utf8')
    output?.on('data', (text: string) => lines.take(text))
    output?.on('end', () => lines.end())
    output?.on('error', () => lines.end()) // Nothing more can be read.
  }

  async #end(): Promise<End> {
    const closed = once(this.#process, 'close').catch(() => {}) // The same error as below.
    let [code, signal]: [number | null, NodeJS.Signals | null] = [null, null]
    try {
      ;[code, signal] = (await once(this.#process, 'exit')) as [number | null, NodeJS.Signals | null]
    } catch (error) {
      // It could not even be started: no memory, too many processes.
      this.#failure = { message: `could not be started: ${String(error)}` }
    }
    this.#exited = true
    this.isReady = false
    clearTimeout(this.#killer)
    this.#questions.lost()
    this.#withdraw()
    await Promise.race([closed, pause(LAST_WORDS_MS, undefined, { ref: false })])
    return {
      code,
      signal,
      wasReady: this.#wasReady,
      failure: this.#failure,
      lastLines: [...this.#lastLines],
      hung: this.#hung,
      late: this.#late,
    }
  }
}
