import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import type { Test } from 'tap'
import { repoRoot } from '../support/repo-root.js'

/** A program that runs on its own. */
export interface Program {
  /** The lines that it prints, as they come. */
  readonly lines: AsyncIterator<string>
  /** Resolves with the next line that matches. Rejects if the program ends before. */
  next(pattern: RegExp): Promise<string>
  /** Sends it a signal. */
  signal(name: NodeJS.Signals): void
  /** Resolves when it has ended. */
  readonly ended: Promise<{ readonly code: number | null; readonly complaints: string }>
}

/**
 * Runs what `npm start` runs, outside production, and where nothing else of the system can be found. The test ends it.
 * `inShell`: as npm does it, in a shell that gets the signals, and hands none on.
 */
export function start(
  t: Test,
  args: readonly string[],
  variables: { readonly [name: string]: string } = {},
  inShell = false,
): Program {
  const { NODE_ENV, NODE_OPTIONS, ...env } = process.env
  const runDir = mkdtempSync(join(tmpdir(), 'lucilius-start-'))
  const command = [process.execPath, join(repoRoot(), 'scripts/start.mjs'), ...args]
  const [program, ...rest] = inShell ? ['sh', '-c', '"$@"; exit "$?"', 'sh', ...command] : command
  const child = spawn(program ?? '', rest, {
    env: { npm_lifecycle_event: 'start', ...env, LUCILIUS_RUN_DIR: runDir, ...variables },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: inShell,
  })
  t.teardown(() => {
    try {
      if (inShell) process.kill(-(child.pid ?? 0), 'SIGKILL')
      else child.kill('SIGKILL')
    } catch {
      // All have ended.
    }
  })
  const complaints = text(child.stderr)
  const closed = new Promise<number | null>((resolve) => child.on('close', resolve))
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  return {
    lines,
    next: async (pattern) => {
      for (;;) {
        const line = await lines.next()
        if (line.done === true) throw new Error(`It ended before it printed ${pattern}: ${await complaints}`)
        if (pattern.test(line.value)) return line.value
      }
    },
    signal: (name) => void child.kill(name),
    ended: Promise.all([closed, complaints]).then(([code, complaints]) => {
      rmSync(runDir, { recursive: true, force: true })
      return { code, complaints }
    }),
  }
}
