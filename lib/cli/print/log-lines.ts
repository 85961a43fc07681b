import { createColors } from 'picocolors'
import { logLevels } from '../../logger.js'
import type { Sink } from '../io.js'
import { harmlessText } from './harmless-text.js'

/** Prints lines of several processes, each with the process in front. */
export interface LogLines {
  /** Prints a line that a process wrote: a JSON log line as people read it, any other as it is, and nothing that moves a cursor. */
  print(id: string, line: string): void
  /** Prints a line about a process. */
  say(id: string, text: string): void
}

/** Properties that stand elsewhere in the line, or that the name in front says already. */
const shownElsewhere = new Set(['level', 'time', 'msg', 'pid', 'hostname', 'process', 'err', 'v'])

const levelNames: ReadonlyMap<number, string> = new Map(
  Object.entries(logLevels).map(([name, number]) => [number, name]),
)

/** Makes a printer for processes of these ids; their names take turns in the colours. */
export function logLines(
  ids: readonly string[],
  { stdout, color }: { readonly stdout: Sink; readonly color: boolean },
): LogLines {
  const paint = createColors(color)
  const paints = [paint.cyan, paint.green, paint.magenta, paint.blue, paint.yellow, paint.white]
  const width = Math.max(0, ...ids.map((id) => id.length))
  const heads = new Map<string, string>()
  const headOf = (id: string) => {
    const known = heads.get(id)
    if (known !== undefined) return known
    const own = paints[heads.size % paints.length] ?? paint.white
    const head = `${own(id.padEnd(width))} ${paint.dim('|')}`
    heads.set(id, head)
    return head
  }
  for (const id of ids) headOf(id)
  const write = (id: string, text: string) => stdout.write(`${headOf(id)} ${text}\n`)
  return {
    print: (id, line) => {
      const entry = toEntry(line)
      if (entry === undefined) write(id, harmlessText(line.replaceAll('\t', '  ')))
      else for (const text of readable(entry, id, paint)) write(id, text)
    },
    say: (id, text) => void write(id, paint.bold(harmlessText(text))),
  }
}

type Paint = ReturnType<typeof createColors>

/** A line as lucilius and pino write it. */
interface Entry {
  readonly level: number
  readonly time: number
  readonly [key: string]: unknown
}

function toEntry(line: string): Entry | undefined {
  if (!line.startsWith('{')) return undefined
  try {
    const value = JSON.parse(line) as Partial<Entry>
    return typeof value.level === 'number' && isTime(value.time) ? (value as Entry) : undefined
  } catch {
    return undefined // any other line that begins like one
  }
}

function isTime(time: unknown): boolean {
  return typeof time === 'number' && Math.abs(time) <= 8.64e15 // what a Date can be
}

/** One line, and the stack of an error below it. */
function readable(entry: Entry, id: string, paint: Paint): string[] {
  const { level, time, msg, err } = entry
  const name = levelNames.get(level) ?? String(level)
  const isOfGroup = (key: string) => key === 'name' && entry.name === id.replace(/\.\d+$/, '')
  const pairs = Object.entries(entry)
    .filter(([key]) => !shownElsewhere.has(key) && !isOfGroup(key))
    .map(([key, value]) => `${paint.dim(`${harmlessText(key)}=`)}${valueText(value)}`)
  const message = harmlessText(typeof msg === 'string' ? msg : '')
  const error = errorOf(err)
  if (error.message !== undefined && error.message !== msg)
    pairs.push(`${paint.dim('err=')}${valueText(error.message)}`)
  const head = [paint.dim(clock(time)), levelPaint(level, paint)(name.padEnd(5)), message, ...pairs]
  const stack = level >= logLevels.error ? error.stack.map((line) => `  ${paint.dim(harmlessText(line))}`) : []
  return [head.filter((part) => part !== '').join(' '), ...stack]
}

function errorOf(err: unknown): { readonly message: string | undefined; readonly stack: readonly string[] } {
  if (typeof err !== 'object' || err === null) return { message: undefined, stack: [] }
  const { message, stack } = err as { readonly message?: unknown; readonly stack?: unknown }
  return {
    message: typeof message === 'string' ? message : undefined,
    stack:
      typeof stack === 'string'
        ? stack
            .split('\n')
            .map((line) => line.trim())
            .slice(1)
        : [],
  }
}

/** A text without spaces as it is, everything else as JSON. */
function valueText(value: unknown): string {
  const isPlain = typeof value === 'string' && /^[^\s"={}]+$/.test(value)
  return harmlessText(isPlain ? value : JSON.stringify(value))
}

function levelPaint(level: number, paint: Paint): (text: string) => string {
  if (level >= logLevels.error) return paint.red
  if (level >= logLevels.warn) return paint.yellow
  return level >= logLevels.info ? (text) => text : paint.dim
}

/** The time of day here, in milliseconds. */
function clock(time: number): string {
  const date = new Date(time)
  const two = (part: number) => String(part).padStart(2, '0')
  const seconds = `${two(date.getSeconds())}.${String(date.getMilliseconds()).padStart(3, '0')}`
  return `${two(date.getHours())}:${two(date.getMinutes())}:${seconds}`
}
