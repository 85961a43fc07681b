import { createColors } from 'picocolors'
import type { Sink } from '../io.js'
import { harmlessText } from './harmless-text.js'
import { readable, toEntry } from './log-entry.js'

/** Prints lines of several processes, each with the process in front. */
export interface LogLines {
  /** Prints a line that a process wrote: a JSON log line as people read it, any other as it is, and nothing that moves a cursor. */
  print(id: string, line: string): void
  /** Prints a line about a process. */
  say(id: string, text: string): void
}

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
      else for (const text of readable(entry, paint, id.replace(/\.\d+$/, ''))) write(id, text)
    },
    say: (id, text) => void write(id, paint.bold(harmlessText(text))),
  }
}
