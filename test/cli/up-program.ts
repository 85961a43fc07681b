import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import type { ControlClient } from '../../lib/system/control/control-client.js'
import { findControl } from '../../lib/system/control/find-control.js'

/** The file of the command line. */
export const main = fileURLToPath(new URL('../../lib/cli/main.js', import.meta.url))

/** The description of a small system. */
export const config = `export default {
  name: 'shop',
  // Where one dies whom others wait for, all that waits may be lost at once with them: on a slow machine a hundred calls.
  limits: { retry: { perSecond: 1000 } },
  services: { rates: './rates.mjs', convert: { module: './convert.mjs', uses: ['role:rates,cmd:get'] } },
  deployments: {
    split: {
      groups: {
        rates: ['rates'],
        convert: { services: ['convert'], replicas: 2, outside: { transport: 'http', expose: ['role:convert,cmd:rate'] } },
      },
    },
  },
}
`

/** A small system. What it prints tells a test how far it is. */
export const sources = {
  'lucilius.config.mjs': config,
  'rates.mjs': `export const rates = (app) => {
  app.add('role:rates,cmd:get', { idempotent: true }, () => ({ rate: 0.9 }))
  app.onReady(() => { /* later */ })
  app.onClose(() => console.log('closed'))
}
`,
  'convert.mjs': `export const convert = (app) => {
  app.add('role:convert,cmd:rate', { idempotent: true }, async (message, context) => context.act('role:rates,cmd:get'))
  app.add('role:convert,cmd:slow', async ({ ms }, context) => {
    if (ms > 100) console.log('slow began')
    await new Promise((resolve) => setTimeout(resolve, ms))
    const { rate } = await context.act('role:rates,cmd:get')
    if (ms > 100) console.log('slow done with ' + rate)
    return { rate }
  })
  app.onClose(() => console.log('closed'))
}
`,
}

type Files = { readonly [path: string]: string | undefined }

/** Starts it, and waits until so many processes are up. */
export async function started(
  t: Test,
  args: readonly string[],
  count: number,
  env: Readonly<Record<string, string>> = {},
  files: Files = {},
) {
  const up = start(t, args, env, files)
  await up.until((line) => line === `up: ${count} processes`)
  return up
}

/** Starts a command in a folder with the system, as the first of a group of processes. */
export function start(
  t: Test,
  args: readonly string[],
  more: Readonly<Record<string, string>> = {},
  files: Files = {},
) {
  const folder = folderOf(t, files)
  const runDir = join(folder, 'run')
  const { NODE_ENV, NODE_OPTIONS, FORCE_COLOR, ...rest } = process.env
  const env = { ...rest, LUCILIUS_RUN_DIR: runDir, LUCILIUS_LOG_LEVEL: 'warn', ...more }
  const child = spawn(process.execPath, [main, ...args], {
    cwd: folder,
    env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const group = -(child.pid ?? 0)
  const isGone = () => {
    try {
      return !process.kill(group, 0)
    } catch {
      return true // ESRCH: there is no such group any more.
    }
  }
  t.teardown(async () => {
    if (!isGone()) process.kill(group, 'SIGKILL')
    await eventually(isGone)
  })
  return new Up(child, folder, runDir, isGone)
}

/** A folder with the system, and one for sockets; removed after the test. */
export function folderOf(t: Test, files: Files): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'lucilius-up-')))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  mkdirSync(join(folder, 'run'), { mode: 0o700 })
  mkdirSync(join(folder, 'services'))
  for (const [file, content] of Object.entries({ ...sources, ...files })) {
    if (content !== undefined) writeFileSync(join(folder, file), content)
  }
  return folder
}

/** The command as it runs. */
class Up {
  readonly lines: string[] = []
  readonly folder: string
  readonly runDir: string
  readonly isGone: () => boolean
  readonly ended: Promise<{ readonly code: number | null; readonly complaints: string }>
  readonly #child: ChildProcess
  readonly #waiting = new Set<() => void>()

  constructor(child: ChildProcess, folder: string, runDir: string, isGone: () => boolean) {
    this.#child = child
    this.folder = folder
    this.runDir = runDir
    this.isGone = isGone
    // Both are piped.
    createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
      this.lines.push(line)
      for (const look of [...this.#waiting]) look()
    })
    const complaints = text(child.stderr as NodeJS.ReadableStream)
    this.ended = once(child, 'close').then(async ([code]) => ({ code, complaints: await complaints }))
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name)
  }

  /** As a terminal does it. */
  signalAll(name: NodeJS.Signals): void {
    process.kill(-(this.#child.pid ?? 0), name)
  }

  until(holds: (line: string) => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = () => {
        if (!this.lines.some(holds)) return
        this.#waiting.delete(look)
        resolve()
      }
      this.#waiting.add(look)
      look()
      void this.ended.then(({ complaints }) =>
        reject(new Error(`It ended early:\n${this.lines.join('\n')}\n${complaints}`)),
      )
    })
  }

  readonly control = async (): Promise<ControlClient> => {
    const client = await findControl(this.folder, this.runDir)
    if (client === undefined) throw new Error('There is no control socket.')
    return client
  }

  async act(message: string): Promise<unknown> {
    const client = await this.control()
    try {
      return await client.act(message)
    } finally {
      client.close()
    }
  }

  readonly about = async () => {
    const client = await this.control()
    try {
      return (await client.about()).processes
    } finally {
      client.close()
    }
  }

  readonly pidsOf = async (id: string) => (await this.about()).filter((one) => one.id === id).map(({ pid }) => pid ?? 0)

  readonly pidOf = async (id: string) => (await this.pidsOf(id))[0] ?? 0

  /** A hundred calls a second until it is stopped. */
  async load(message: string) {
    const client = await this.control()
    const failed: string[] = []
    const running = new Set<Promise<unknown>>()
    let calls = 0
    const timer = setInterval(() => {
      calls++
      const call = client
        .act(message, { timeoutMs: 9000 })
        .catch((error) => failed.push(`${error.code} ${error.message}`))
      running.add(call)
      void call.finally(() => running.delete(call))
    }, 10)
    return {
      stop: async () => {
        clearInterval(timer)
        await Promise.all(running)
        client.close()
        if (calls < 20) failed.push(`only ${calls} calls were made`)
        return failed
      },
    }
  }
}

/** Waits until something holds. */
export async function eventually(holds: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + 15_000
  while (!(await holds())) {
    if (performance.now() > end) throw new Error('It did not come about.')
    await pause(20)
  }
}
