import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { invalid } from '../invalid.js'
import type { Owned } from './own.js'
import { Restarts } from './restarts.js'

/** Milliseconds in which it has to listen. */
const START_MS = 10_000
/** Milliseconds between two looks whether it does. */
const LOOK_MS = 5
/** Milliseconds in which it ends; it writes what it holds. */
const END_MS = 5_000
/** Its log, beside its data. */
const LOG = 'nats-server.log'

/**
 * A shell that starts the server, in a session of its own, and ends it when its input ends: a pipe that this process holds.
 * The server's end is its end.
 */
const GUARD = `
exec 3<&0
"$@" </dev/null 3<&- & server=$!
(read -r over <&3; kill "$server") & reader=$!
wait "$server"; code=$?
kill "$reader"
exit "$code"
`

/** What a server is started of. */
export interface NatsServerOptions {
  /** The program. */
  readonly program: string
  /** The folder of its data and its log. */
  readonly place: string
  /** That folder, taken: it is passed on to whoever guards the server. */
  readonly owned: Owned
  /** Takes one line for a person. */
  readonly say: (line: string) => void
}

/** A `nats-server` with JetStream on a port of loopback, from start to start: one that dies is started again, on the same port. */
export class NatsServer {
  readonly #options: NatsServerOptions
  readonly #restarts = new Restarts()
  #guard: ChildProcess | undefined
  #ended: Promise<unknown> = Promise.resolve()
  #isOver = false
  #timer: NodeJS.Timeout | undefined

  constructor(options: NatsServerOptions) {
    this.#options = options
  }

  /** Starts it on a port, or on any that is free (-1). Gives the port once it listens. Rejects with `LUC_OPTIONS_INVALID`. */
  async start(port: number): Promise<number> {
    const told = mkdtempSync(join(tmpdir(), 'lucilius-nats-'))
    try {
      const guard = this.#spawn(port, told)
      const found = await this.#listening(guard, told)
      this.#restarts.ready()
      guard.once('exit', () => this.#again(found))
      return found
    } finally {
      rmSync(told, { recursive: true, force: true })
    }
  }

  /** Ends it. Resolves when it has ended. */
  async close(): Promise<void> {
    this.#isOver = true
    clearTimeout(this.#timer)
    this.#guard?.stdin?.end()
    const late = setTimeout(() => this.#kill(), END_MS)
    await this.#ended
    clearTimeout(late)
  }

  #spawn(port: number, told: string): ChildProcess {
    const { program, place, owned } = this.#options
    const log = join(place, LOG)
    const args = ['-js', '-a', '127.0.0.1', '-p', String(port), '-sd', place, '-l', log, '--ports_file_dir', told]
    const guard = spawn('/bin/sh', ['-c', GUARD, 'nats-guard', program, ...args], {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    })
    if (guard.pid !== undefined) owned.passTo(guard.pid)
    guard.stdin?.on('error', () => {}) // it has ended: that is told by its exit
    this.#ended = once(guard, 'exit').catch(() => {}) // it could not be started: nothing listens, see below
    this.#guard = guard
    return guard
  }

  async #listening(guard: ChildProcess, told: string): Promise<number> {
    const { program, place } = this.#options
    const end = performance.now() + START_MS
    for (;;) {
      const port = portIn(told)
      if (port !== undefined) return port
      const isGone = guard.exitCode !== null || guard.signalCode !== null || guard.pid === undefined
      if (this.#isOver || isGone || performance.now() > end) break
      await pause(LOOK_MS)
    }
    this.#kill()
    throw invalid(`${program} does not start. Its log: ${join(place, LOG)}`)
  }

  /** It died. Who uses it comes back to the same port. */
  #again(port: number): void {
    if (this.#isOver) return
    const { say } = this.#options
    const waitMs = this.#restarts.died()
    if (waitMs === undefined) {
      say('nats-server died too often, and is not started again')
      return
    }
    say(`nats-server has ended; starts again in ${waitMs / 1000} s`)
    this.#timer = setTimeout(() => {
      this.start(port).catch((error: Error) => {
        if (!this.#isOver) say(error.message)
        this.#again(port)
      })
    }, waitMs)
  }

  /** By the group of the guard, which is the server's, too. */
  #kill(): void {
    const pid = this.#guard?.pid
    if (pid === undefined || this.#guard?.exitCode !== null) return
    try {
      process.kill(-pid, 'SIGKILL')
    } catch {
      // It has just ended.
    }
  }
}

/** What the server tells of itself: `{"nats":["nats://127.0.0.1:4222"],…}`, in a file of its own. */
function portIn(folder: string): number | undefined {
  const [file] = readdirSync(folder)
  if (file === undefined) return undefined
  try {
    const { nats } = JSON.parse(readFileSync(join(folder, file), 'utf8')) as { readonly nats: readonly [string] }
    return Number(new URL(nats[0]).port)
  } catch {
    return undefined // it is still being written
  }
}
