import type { Io } from '../../lib/cli/io.js'
import { run } from '../../lib/cli/program.js'

/** What a command printed, and how it ended. */
export interface Ran {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs a command in this process, where nobody is at the terminal unless told. */
export async function lucilius(argv: readonly string[], world: Partial<Io> = {}): Promise<Ran> {
  const printed = { stdout: '', stderr: '' }
  const into = (name: keyof typeof printed) => ({
    write: (text: string) => {
      printed[name] += text
    },
  })
  const io: Io = {
    stdout: into('stdout'),
    stderr: into('stderr'),
    env: {},
    cwd: process.cwd(),
    isTty: false,
    isErrorTty: false,
    color: false,
    columns: 80,
    ask: undefined,
    ...world,
  }
  const code = await run(argv, io)
  return { code, ...printed }
}

/** Whether a text is one line that a person can act on: no stack, nothing that moves a cursor. */
export function isOneLine(text: string): boolean {
  return /^[^\p{C}]+\n$/u.test(text) && !/^\s+at /m.test(text)
}
