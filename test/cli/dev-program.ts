import { mkdirSync, mkdtempSync, readdirSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import { findControl } from '../../lib/system/control/find-control.js'
import { startLucilius, startProgram } from './process.js'

/** Files of a project by their paths. */
export type Files = { readonly [path: string]: string }

const person = fileURLToPath(new URL('./person.js', import.meta.url))

/** Milliseconds after which what was awaited does not come. */
const PATIENCE_MS = 20_000

/** A `lucilius dev` that runs in a folder of its own. */
export interface Dev {
  readonly folder: string
  /** Resolves when it has printed that after what was awaited last. */
  says(pattern: RegExp): Promise<string>
  /** What it has printed so far. */
  printed(): string
  /** Writes a file in place. */
  write(path: string, text: string): void
  /** Writes files as git and careful editors do: each into another file, which takes the name. */
  replace(files: Files): void
  /** Sends a message over the control socket. */
  act(message: string): Promise<unknown>
  pidOfSystem(): Promise<number>
  signal(signal: NodeJS.Signals): void
  /** As a terminal does it: to all processes. */
  signalAll(signal: NodeJS.Signals): void
  readonly ended: ReturnType<typeof startLucilius>['ended']
  isGone(): boolean
  /** Control sockets that are there. */
  sockets(): readonly string[]
}

/** Starts `lucilius dev` in a new folder with these files. The folder and all processes go with the test. */
export function startDev(t: Test, files: Files, args: readonly string[] = [], env: Files = {}, hasPerson = false): Dev {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'lucilius-dev-')))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const runDir = join(folder, 'run')
  mkdirSync(runDir, { mode: 0o700 })
  const write = (path: string, text: string) => {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  for (const [path, text] of Object.entries(files)) write(path, text)
  const world = { cwd: folder, env: { LUCILIUS_RUN_DIR: runDir, LUCILIUS_LOG_LEVEL: 'warn', FORCE_COLOR: '0', ...env } }
  const { child, ended, printed } = hasPerson
    ? startProgram(t, process.execPath, [person, 'dev', ...args], world)
    : startLucilius(t, ['dev', ...args], world)
  let complaints = ''
  let seen = 0
  const all = () => printed() + complaints
  // Both streams are piped, and read in the order in which they come.
  let text = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
      if (stream === child.stderr) complaints += chunk
    })
  }
  const group = -(child.pid ?? 0)
  return {
    folder,
    write,
    ended,
    printed: all,
    replace: (changed) => {
      for (const [path, content] of Object.entries(changed)) {
        write(`${path}.new`, content)
        renameSync(join(folder, `${path}.new`), join(folder, path))
      }
    },
    says: (pattern) =>
      new Promise((resolve, reject) => {
        const over = (error?: Error) => {
          for (const stream of [child.stdout, child.stderr]) stream?.off('data', look)
          child.off('close', gone)
          clearTimeout(timer)
          if (error !== undefined) reject(error)
        }
        const look = () => {
          const found = pattern.exec(text.slice(seen))
          if (found === null) return
          seen += found.index + found[0].length
          over()
          resolve(found[1] ?? found[0])
        }
        const gone = () => over(new Error(`it ended without ${pattern}:\n${text}`))
        const timer = setTimeout(() => over(new Error(`it does not say ${pattern}:\n${text.slice(seen)}`)), PATIENCE_MS)
        for (const stream of [child.stdout, child.stderr]) stream?.on('data', look)
        child.on('close', gone)
        look()
      }),
    act: async (message) => {
      const client = await findControl(folder, runDir)
      if (client === undefined) throw new Error(`nothing runs:\n${text}`)
      try {
        return await client.act(message)
      } finally {
        client.close()
      }
    },
    pidOfSystem: async () => {
      const client = await findControl(folder, runDir)
      const about = await client?.about()
      client?.close()
      return about?.pid ?? 0
    },
    signal: (signal) => void child.kill(signal),
    signalAll: (signal) => void process.kill(group, signal),
    isGone: () => {
      try {
        return !process.kill(group, 0)
      } catch {
        return true
      }
    },
    sockets: () => readdirSync(runDir),
  }
}

/** Waits until that is so, or it has taken too long. */
export async function eventually(isSo: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + PATIENCE_MS
  while (!(await isSo()) && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, 20))
}
