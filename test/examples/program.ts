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

/** Runs what `npm start` runs, outside production, and where nothing else of the system can be found. The test ends it. */
export function start(t: Test, args: readonly string[], variables: { readonly [name: string]: string } = {}): Program {
  const { NODE_ENV, NODE_OPTIONS, ...env } = process.env
  const runDir = mkdtempSync(join(tmpdir(), 'lucilius-start-'))
  const child = spawn(process.execPath, [join(repoRoot(), 'scripts/start.mjs'), ...args], {
    env: { ...env, LUCILIUS_RUN_DIR: runDir, ...variables },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  t.teardown(() => child.kill('SIGKILL'))
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
