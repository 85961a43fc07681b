// Child processes: started by us, spoken to over IPC, ended by pid and by nothing else.

import { fork, spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createConnection, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const program = fileURLToPath(new URL('./child.js', import.meta.url))
const alive = new Set()

/** One process that hosts one role of one contender. */
export class Child {
  #output = ''
  #waiting = []
  #answers = []
  #exited
  #dead = false

  constructor(spec, execArgv = []) {
    this.spec = spec
    this.startedAt = performance.now()
    this.proc = fork(program, [JSON.stringify(spec)], { execArgv, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] })
    for (const stream of [this.proc.stdout, this.proc.stderr]) {
      stream.on('data', (data) => {
        this.#output = (this.#output + data).slice(-4000)
      })
    }
    alive.add(this.proc)
    this.proc.on('message', (answer) => {
      const settle = this.#waiting.shift()
      if (settle) settle(answer)
      else this.#answers.push(answer)
    })
    this.#exited = new Promise((resolve) => {
      this.proc.on('exit', (code, signal) => {
        alive.delete(this.proc)
        this.#dead = true
        for (const settle of this.#waiting.splice(0))
          settle({ error: `exited ${code ?? signal}: ${this.#output.slice(-600)}` })
        resolve()
      })
    })
    this.ready = this.next(20_000)
    this.ready.catch(() => {}) // whoever awaits it hears of it
  }

  /** The child's next answer; rejects if it is an error or does not come in time. */
  next(timeoutMs = 30_000) {
    return new Promise((resolve, reject) => {
      const settle = (answer) => {
        clearTimeout(timer)
        if (answer.error) reject(new Error(answer.error))
        else resolve(answer)
      }
      const late = () => settle({ error: `no answer in ${timeoutMs} ms; ${this.#output.slice(-300)}` })
      const timer = setTimeout(late, timeoutMs)
      if (this.#answers.length) settle(this.#answers.shift())
      else if (this.#dead) settle({ error: `dead: ${this.#output.slice(-600)}` })
      else this.#waiting.push(settle)
    })
  }

  ask(command, timeoutMs) {
    const answer = this.next(timeoutMs)
    if (!this.#dead) this.proc.send(command)
    return answer
  }

  /** Lets the child exit by itself, kills it after 2 s. */
  async stop() {
    if (this.#dead) return
    this.proc.disconnect()
    const timer = setTimeout(() => this.kill(), 2000)
    await this.#exited
    clearTimeout(timer)
  }

  kill() {
    if (!this.#dead) this.proc.kill('SIGKILL')
    return this.#exited
  }
}

/** CPU nanoseconds that a process has used, all its threads (Linux). */
export function cpuNs(pid) {
  try {
    return readdirSync(`/proc/${pid}/task`).reduce((sum, thread) => {
      return sum + Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0])
    }, 0)
  } catch {
    return Number.NaN // not Linux, or gone
  }
}

// Ports below the ephemeral range, 16 to a contender, so that port + 1 … port + 15 are its own.
let lastPort = 20_000 + (process.pid % 500) * 16

/** A free port on loopback. */
export async function freePort() {
  for (;;) {
    lastPort = lastPort > 32_000 ? 20_000 : lastPort + 16
    const port = lastPort // taken before the await: callers may overlap
    if (await isFree(port)) return port
  }
}

function isFree(port) {
  return new Promise((resolve) => {
    const server = createServer()
    server.on('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}

/** Tells whether anybody listens on that port of loopback. */
export function isListening(port) {
  return new Promise((resolve) => {
    const socket = createConnection(port, '127.0.0.1')
    socket.on('error', () => resolve(false))
    socket.on('connect', () => {
      socket.destroy()
      resolve(true)
    })
  })
}

/** Starts a NATS server with JetStream on loopback. Throws if none is installed. */
export async function startNats() {
  const port = await freePort()
  const folder = mkdtempSync(join(tmpdir(), 'bench-nats-'))
  const args = ['-a', '127.0.0.1', '-p', String(port), '-js', '-sd', folder]
  const proc = spawn('nats-server', args, { stdio: 'ignore' })
  let missing = false
  proc.on('error', () => {
    missing = true
  })
  alive.add(proc)
  proc.on('exit', () => {
    alive.delete(proc)
    rmSync(folder, { recursive: true, force: true })
  })
  for (let tries = 0; tries < 50 && !missing; tries++) {
    if (await isListening(port)) return { port, pid: proc.pid, stop: () => proc.kill('SIGKILL') }
    await sleep(100)
  }
  throw new Error('nats-server does not answer; on Debian: apt-get install nats-server')
}

/** Starts RabbitMQ on loopback, as the tests do. Throws if it is not installed. Its processes count for no CPU time. */
export async function startRabbit() {
  const { skipWithout, startRabbit: start } = await import('../../build/test/support/brokers.js')
  const reason = skipWithout('rabbitmq')
  if (reason) throw new Error(reason)
  const broker = await start()
  return { port: broker.port, stop: () => broker.end() }
}

export function killAll() {
  for (const proc of alive) proc.kill('SIGKILL')
}
process.on('exit', killAll)
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(130))
