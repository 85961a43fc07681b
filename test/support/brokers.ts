import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { startGuard } from './broker-guard.js'

/** A broker of this test's own, on loopback, with its data in a folder of its own. */
export interface Broker {
  /** `nats://127.0.0.1:4222`, `amqp://127.0.0.1:5672`, `http://127.0.0.1:2379`: without credentials. */
  readonly url: string
  readonly port: number
  /** Where its data and log are: for certificates that `config` names. */
  readonly folder: string
  /** Ends all of it with SIGKILL, as a crash would. Resolves when it is gone. Its data stay. */
  kill(): Promise<void>
  /** Ends it as an operator would. Its data stay. */
  stop(): Promise<void>
  /** Starts it again, on the same port and with the same data; kills it before if it runs. Resolves when it listens. */
  restart(): Promise<void>
  /** What it has written to its log. */
  log(): string
  /** Kills it and deletes its folder. Called by `t.teardown`, and done by a guard if this process crashes. */
  end(): Promise<void>
}

/** What a broker for a test may be given. */
export interface BrokerOptions {
  /** More lines for its configuration file: may be a function of the folder and the port. */
  readonly config?: string | ((place: { readonly folder: string; readonly port: number }) => string)
}

/** What these helpers need of a tap test. Without one, call `broker.end()`. */
export interface Teardown {
  teardown(end: () => unknown): unknown
}

/** A program that has to run for a broker, and how to end it. */
interface Program {
  readonly command: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

const readyMs = 60_000 // Two brokers that start at once on a busy machine.
const stopMs = 20_000
const rabbitServer = '/usr/lib/rabbitmq/bin/rabbitmq-server'

/** What is to be installed for a broker. */
const packages = { 'nats-server': 'nats-server', rabbitmq: 'rabbitmq-server', etcd: 'etcd-server' } as const

/**
 * Tells why tests with a broker are skipped, or false: the value of tap's `skip`. Throws where a broker is missing and
 * `TEST_BROKERS` is `required`.
 */
export function skipWithout(server: keyof typeof packages): string | false {
  const there =
    server === 'rabbitmq'
      ? existsSync(rabbitServer) && programPath('epmd') !== undefined
      : programPath(server) !== undefined
  if (there) return false
  const reason = `${server} is not installed: apt-get install ${packages[server]}`
  if (process.env.TEST_BROKERS === 'required') throw new Error(`TEST_BROKERS=required, but ${reason}`)
  return reason
}

/** Starts `nats-server` with JetStream: 30 ms. */
export async function startNats(t?: Teardown, { config = '' }: BrokerOptions = {}): Promise<Broker> {
  const [port] = await freePorts(1)
  return startBroker(t, { scheme: 'nats', port }, (folder) => {
    const file = join(folder, 'nats.conf')
    writeFileSync(file, `${text(config, folder, port)}\n`)
    const args = ['-c', file, '-a', '127.0.0.1', '-p', String(port), '-js', '-sd', join(folder, 'data')]
    return [{ command: programPath('nats-server') ?? 'nats-server', args }]
  })
}

/** Starts RabbitMQ: 5 to 8 s, so one for all tests of a file. */
export async function startRabbit(t?: Teardown, { config = '' }: BrokerOptions = {}): Promise<Broker> {
  const [port, distribution, epmd] = await freePorts(3)
  return startBroker(t, { scheme: 'amqp', port }, (folder) => {
    const lines = [`listeners.tcp.1 = 127.0.0.1:${port}`, 'log.console = true', 'log.file = false']
    writeFileSync(join(folder, 'rabbitmq.conf'), `${[...lines, text(config, folder, port)].join('\n')}\n`)
    writeFileSync(join(folder, 'plugins'), '[].\n')
    const env = {
      HOME: folder,
      RABBITMQ_BASE: folder,
      RABBITMQ_NODENAME: `t${port}@localhost`,
      RABBITMQ_MNESIA_BASE: join(folder, 'data'),
      RABBITMQ_LOG_BASE: join(folder, 'logs'),
      RABBITMQ_CONFIG_FILE: join(folder, 'rabbitmq.conf'),
      RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, 'plugins'),
      RABBITMQ_CONF_ENV_FILE: '/dev/null',
      RABBITMQ_DIST_PORT: String(distribution),
      RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '+sbwt none +sbwtdcpu none +sbwtdio none', // no busy waiting: tests share cores
      RUNNING_UNDER_SYSTEMD: 'true', // the script becomes the server instead of watching it: one process to end
      ERL_EPMD_PORT: String(epmd),
      ERL_EPMD_ADDRESS: '127.0.0.1',
      LANG: 'C.UTF-8',
    }
    // Erlang's port mapper first, as a child of ours: the server would start it as a daemon that outlives everything.
    const mapper = { command: programPath('epmd') ?? 'epmd', args: ['-port', String(epmd)], env }
    return [mapper, { command: rabbitServer, args: [], env }]
  })
}

/** Starts etcd: 0.2 s. Its elections are fast, so that a lease of a second is one. */
export async function startEtcd(t?: Teardown): Promise<Broker> {
  const [port, peers] = await freePorts(2)
  return startBroker(t, { scheme: 'http', port }, (folder) => {
    const [client, peer] = [`http://127.0.0.1:${port}`, `http://127.0.0.1:${peers}`]
    const args = [
      ...['--data-dir', join(folder, 'data'), '--listen-client-urls', client, '--advertise-client-urls', client],
      ...['--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer, '--initial-cluster', `default=${peer}`],
      ...['--heartbeat-interval', '10', '--election-timeout', '100'],
    ]
    return [{ command: programPath('etcd') ?? 'etcd', args }]
  })
}

function text(config: NonNullable<BrokerOptions['config']>, folder: string, port: number): string {
  return typeof config === 'string' ? config : config({ folder, port })
}

interface Address {
  readonly scheme: 'nats' | 'amqp' | 'http'
  readonly port: number
}

async function startBroker(
  t: Teardown | undefined,
  { scheme, port }: Address,
  programs: (folder: string) => readonly Program[],
): Promise<Broker> {
  const folder = mkdtempSync(join(tmpdir(), `lucilius-${scheme}-`))
  const guard = startGuard(folder)
  let ended: Promise<void> | undefined
  const end = () => {
    ended ??= guard.end()
    return ended
  }
  t?.teardown(end)
  mkdirSync(join(folder, 'data'))
  const log = join(folder, 'log')
  const wanted = programs(folder)
  let running: readonly Group[] = []

  const run = async () => {
    const file = openSync(log, 'a')
    running = wanted.map((program) => startGroup(program, file))
    guard.watch(running.map(({ id }) => id))
    closeSync(file)
    await listening(port, running, () => readFileSync(log, 'utf8'))
  }
  const over = async (signal: 'SIGKILL' | 'SIGTERM') => {
    // The server before its port mapper, and that one by force: it knows no other end.
    for (const [index, group] of [...running].reverse().entries()) await group.end(index === 0 ? signal : 'SIGKILL')
    running = []
    guard.watch([])
  }

  try {
    await run()
  } catch (error) {
    await end()
    throw error
  }
  return {
    url: `${scheme}://127.0.0.1:${port}`,
    port,
    folder,
    kill: () => over('SIGKILL'),
    stop: () => over('SIGTERM'),
    restart: async () => {
      await over('SIGKILL')
      await run()
    },
    log: () => readFileSync(log, 'utf8'),
    end,
  }
}

/** A program and what it starts: a process group of its own. */
interface Group {
  readonly id: number
  readonly ended: boolean
  end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void>
}

function startGroup({ command, args, env = {} }: Program, log: number): Group {
  const { PATH = '' } = process.env
  const child: ChildProcess = spawn(command, args, {
    detached: true,
    stdio: ['ignore', log, log],
    env: { PATH, ...env },
  })
  const id = child.pid
  if (id === undefined) throw new Error(`${command} could not be started.`)
  child.unref()
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const isOver = () => child.exitCode !== null || child.signalCode !== null
  const signal = (name: NodeJS.Signals) => {
    try {
      process.kill(-id, name)
    } catch {} // It has just ended.
  }
  return {
    id,
    get ended() {
      return isOver()
    },
    end: async (name) => {
      if (isOver()) return
      child.ref()
      signal(name)
      const timer = setTimeout(signal, stopMs, 'SIGKILL')
      await gone
      clearTimeout(timer)
      signal('SIGKILL') // What it had started.
    },
  }
}

async function listening(port: number, programs: readonly Group[], log: () => string): Promise<void> {
  const end = performance.now() + readyMs
  while (!(await accepts(port))) {
    const dead = programs.some(({ ended }) => ended)
    if (dead || performance.now() > end) {
      throw new Error(`The broker ${dead ? 'ended' : 'does not listen'} on port ${port}:\n${log().slice(-2000)}`)
    }
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('error', () => resolve(false))
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
  })
}

/**
 * Ports that nobody listens on, below those that a system gives to outgoing connections: while a broker is down, nobody
 * may come to sit on its port.
 */
async function freePorts<const N extends keyof Ports>(count: N): Promise<Ports[N]> {
  const ports: number[] = []
  while (ports.length < count) {
    const port = 10_000 + Math.floor(Math.random() * 20_000)
    if (!ports.includes(port) && (await isFree(port))) ports.push(port)
  }
  return ports as unknown as Ports[N] // as many as asked for
}

interface Ports {
  readonly 1: readonly [number]
  readonly 2: readonly [number, number]
  readonly 3: readonly [number, number, number]
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}

function programPath(name: string): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin']
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path))
}
