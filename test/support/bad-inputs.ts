import { connect } from 'node:net'
import { readCases } from './repo-root.js'

/** One record of `test/cases/bad-inputs.json`: something hostile or broken, and what must come of it. */
export interface BadInput {
  readonly id: string
  readonly surface: string
  readonly name: string
  readonly encoding: 'utf8' | 'base64' | 'template'
  readonly input: string
  readonly expected: Expected
}

/** What must come of a bad input. */
export interface Expected {
  readonly outcome: string
  readonly status?: readonly number[]
  readonly code?: readonly string[]
  readonly wsClose?: readonly number[]
  readonly withinMs?: number
  readonly bodyMustNotContain?: readonly string[]
  readonly headersMustNotContain?: readonly string[]
  readonly rssGrowthMaxMB?: number
}

/** The records for one surface. */
export function badInputs(surface: string): BadInput[] {
  return readCases<BadInput[]>('bad-inputs.json').filter((record) => record.surface === surface)
}

/** Where the marks of a template lead. */
export interface Address {
  readonly host: string
  readonly path?: string
  readonly wsPath?: string
}

/** Something to do on a socket. */
export type Step = Buffer | { readonly sleepMs: number } | 'destroy'

/** What to send, in order. */
export function stepsOf({ encoding, input }: BadInput, address: Address): Step[] {
  if (encoding === 'base64') return [Buffer.from(input, 'base64')]
  if (encoding === 'utf8') return [Buffer.from(input)]
  return expand(input, address)
    .split(/(«sleep:\d+»|«destroy»)/)
    .filter((part) => part !== '')
    .map((part) => {
      if (part === '«destroy»') return 'destroy'
      return part.startsWith('«sleep:') ? { sleepMs: Number(part.slice(7, -1)) } : Buffer.from(part)
    })
}

function expand(template: string, { host, path = '/act', wsPath = '/ws' }: Address): string {
  const numbered = (count: string, text: string) =>
    Array.from({ length: Number(count) }, (_, index) => text.replaceAll('#', String(index)))
  const text = template
    .replaceAll('«host»', host)
    .replaceAll('«path»', path)
    .replaceAll('«wspath»', wsPath)
    .replace(/«rep:(\d+):([^«»]*)»/g, (_, count, part) => part.repeat(Number(count)))
    .replace(/«seq:(\d+):([^«»]*)»/g, (_, count, part) => numbered(count, part).join(''))
    .replace(/«seqc:(\d+):([^«»]*)»/g, (_, count, part) => numbered(count, part).join(','))
    .replace(/«seqmsg:(\d+):([^«»]*)»/g, (_, count, part) => numbered(count, part).join('\u0001'))
  const body = text.slice(text.indexOf('\r\n\r\n') + 4)
  return text.replaceAll('«len»', String(Buffer.byteLength(body)))
}

/** What came back on a socket. */
export interface Seen {
  /** As Latin-1. */
  readonly text: string
  readonly closed: boolean
}

/** Sends the steps over a socket of its own and reads until it is closed, or for so long. */
export function sendRaw(steps: readonly Step[], { host }: Address, limitMs: number): Promise<Seen> {
  const [name, port] = host.split(':')
  return new Promise((resolve) => {
    const socket = connect(Number(port), name)
    const chunks: Buffer[] = []
    let closed = false
    const finish = () => {
      clearTimeout(timer)
      socket.destroy()
      resolve({ text: Buffer.concat(chunks).toString('latin1'), closed })
    }
    const timer = setTimeout(finish, limitMs)
    socket.on('data', (chunk) => chunks.push(chunk))
    socket.on('error', () => {}) // 'close' follows.
    socket.on('close', () => {
      closed = true
      finish()
    })
    void play(steps, socket, () => closed)
  })
}

async function play(
  steps: readonly Step[],
  socket: ReturnType<typeof connect>,
  isClosed: () => boolean,
): Promise<void> {
  for (const step of steps) {
    if (step === 'destroy') socket.destroy()
    else if (Buffer.isBuffer(step)) socket.write(step)
    else for (let left = step.sleepMs; left > 0 && !isClosed(); left -= 50) await pause(50)
  }
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

/** Says what an HTTP answer has against it, or undefined. Nobody ever sees a stack or a path of ours. */
export function complaint(seen: Seen, { outcome, status = [], code, ...never }: Expected): string | undefined {
  const number = Number(/^HTTP\/1\.1 (\d+)/.exec(seen.text)?.[1])
  const answered = status.includes(number)
  const fits =
    outcome === 'close'
      ? seen.closed
      : answered || (outcome === 'status-or-close' && Number.isNaN(number) && seen.closed)
  const got = `${seen.closed ? 'closed' : 'open'} ${seen.text.slice(0, 300)}`
  if (!fits) return `${outcome} ${status.join('|')}, got ${got}`
  const told = /"code":"([a-z_A-Z]+)"/.exec(seen.text)?.[1]
  if (number >= 400 && code !== undefined && !code.includes(told ?? '')) return `code ${code.join('|')}, got ${got}`
  const [head = ''] = seen.text.split('\r\n\r\n')
  const forbidden = [
    ...(never.bodyMustNotContain ?? []).filter((text) => seen.text.includes(text)),
    ...(never.headersMustNotContain ?? []).filter((text) => head.toLowerCase().includes(text)),
    ...(/\n\s+at .+:\d+:\d+|node_modules/.exec(seen.text) ?? []),
  ]
  return forbidden.length > 0 ? `nothing of ${JSON.stringify(forbidden)}` : undefined
}
