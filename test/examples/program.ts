import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'

/** A program that runs on its own. */
export interface Program {
  /** The lines that it prints, as they come. */
  readonly lines: AsyncIterator<string>
  /** Sends it a signal. */
  signal(name: NodeJS.Signals): void
  /** Resolves when it has ended. */
  readonly ended: Promise<{ readonly code: number | null; readonly complaints: string }>
}

/** Starts a compiled program outside production. */
export function start(file: string, ...args: string[]): Program {
  const { NODE_ENV, NODE_OPTIONS, ...env } = process.env
  const child = spawn(process.execPath, [file, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  const complaints = text(child.stderr)
  const closed = new Promise<number | null>((resolve) => child.on('close', resolve))
  return {
    lines: createInterface({ input: child.stdout })[Symbol.asyncIterator](),
    signal: (name) => void child.kill(name),
    ended: Promise.all([closed, complaints]).then(([code, complaints]) => ({ code, complaints })),
  }
}
