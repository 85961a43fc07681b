import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import type { Ran } from './fake-io.js'

const main = join(fileURLToPath(import.meta.url), '../../../lib/cli/main.js')

/** A command that runs as a process of its own. */
export interface Started {
  readonly child: ChildProcess
  /** What it has printed to stdout so far. */
  printed(): string
  /** Resolves when that matches; rejects if the process ends before. */
  says(pattern: RegExp): Promise<void>
  readonly ended: Promise<Ran & { readonly signal: NodeJS.Signals | null }>
}

/** Starts `lucilius`, outside production. The test ends it. */
export function startLucilius(
  t: Test,
  argv: readonly string[],
  { cwd, env = {} }: { readonly cwd: string; readonly env?: { readonly [name: string]: string } },
): Started {
  return startProgram(t, process.execPath, [main, ...argv], { cwd, env })
}

/** Starts a program in its own group of processes, all of which end with the test. */
export function startProgram(
  t: Test,
  file: string,
  argv: readonly string[],
  { cwd, env = {} }: { readonly cwd: string; readonly env?: { readonly [name: string]: string } },
): Started {
  const { NODE_ENV, NODE_OPTIONS, ...clean } = process.env
  const stdio = ['ignore', 'pipe', 'pipe'] as const
  const child = spawn(file, argv, { cwd, env: { ...clean, ...env }, stdio: [...stdio], detached: true })
  t.teardown(() => killGroup(child))
  let printed = ''
  child.stdout?.setEncoding('utf8').on('data', (chunk) => {
    printed += chunk
  })
  const complaints = child.stderr === null ? Promise.resolve('') : text(child.stderr)
  const ended = new Promise<{ code: number; signal: NodeJS.Signals | null }>((resolve) => {
    child.on('close', (code, signal) => resolve({ code: code ?? -1, signal }))
  })
  return {
    child,
    printed: () => printed,
    says: (pattern) =>
      new Promise((resolve, reject) => {
        const look = () => pattern.test(printed) && resolve()
        child.stdout?.on('data', look)
        child.on('close', () => void complaints.then((said) => reject(new Error(`${printed}\n${said}`))))
        look()
      }),
    ended: ended.then(async ({ code, signal }) => ({ code, signal, stdout: printed, stderr: await complaints })),
  }
}

/** Whoever a test left behind ends with it: the group is the child's own. */
function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // All of it has ended.
  }
}
