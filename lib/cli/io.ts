/** Takes text, as stdout and stderr do. */
export interface Sink {
  /** Takes text; whoever calls ends the lines. */
  write(text: string): unknown
}

/** All that a command touches of the process around it, so that a test may be that process. */
export interface Io {
  readonly stdout: Sink
  readonly stderr: Sink
  readonly env: { readonly [name: string]: string | undefined }
  /** The folder that paths and the search for a description start from. */
  readonly cwd: string
  /** Whether a person reads stdout. */
  readonly isTty: boolean
  /** Whether a person reads stderr. */
  readonly isErrorTty: boolean
  /** Whether stdout is to be coloured. */
  readonly color: boolean
  /** Characters in a line of stdout. */
  readonly columns: number
  /** Asks the person at the terminal, and gives the line that was typed: '' if none was. Undefined if nobody is there. */
  readonly ask: ((question: string) => Promise<string>) | undefined
  /** What is typed, or piped in. */
  readonly stdin?: NodeJS.ReadableStream
  /** The terminal, where a person types and reads. */
  readonly terminal?: Terminal
}

/** A terminal with somebody at it. */
export interface Terminal {
  readonly input: NodeJS.ReadStream
  readonly output: NodeJS.WriteStream
}

/** This process. */
export function processIo(): Io {
  const { stdin, stdout, stderr, env } = process
  const isTty = stdout.isTTY === true
  return {
    stdout,
    stderr,
    env,
    cwd: process.cwd(),
    isTty,
    isErrorTty: stderr.isTTY === true,
    color: wantsColor(env, isTty),
    columns: stdout.columns ?? 80,
    ask: stdin.isTTY && stderr.isTTY ? askPerson : undefined,
    stdin,
    ...(stdin.isTTY && isTty ? { terminal: { input: stdin, output: stdout } } : {}),
  }
}

async function askPerson(question: string): Promise<string> {
  const { createInterface } = await import('node:readline')
  const lines = createInterface({ input: process.stdin, output: process.stderr })
  return new Promise((resolve) => {
    let said: string | undefined
    lines.question(question, (answer) => {
      said = answer
      lines.close()
    })
    // Ctrl-C and Ctrl-D close it, too, and leave the cursor where it is.
    lines.on('close', () => {
      if (said === undefined) process.stderr.write('\n')
      resolve(said ?? '')
    })
  })
}

/** https://no-color.org: NO_COLOR counts when it is not empty; FORCE_COLOR colours a pipe. */
function wantsColor(env: Io['env'], isTty: boolean): boolean {
  if (isSet(env.NO_COLOR)) return false
  if (isSet(env.FORCE_COLOR)) return env.FORCE_COLOR !== '0'
  return isTty && env.TERM !== 'dumb'
}

function isSet(value: string | undefined): boolean {
  return value !== undefined && value !== ''
}
