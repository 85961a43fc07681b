import pico from 'picocolors'
import { jsonLogger, type Logger, type LogLevel } from '../../logger.js'
import type { Sink } from '../io.js'
import { readable, toEntry } from './log-entry.js'

/** What a logger for people is made of. */
export interface ReadableLoggerOptions {
  /** The lowest level that is written. */
  readonly level: LogLevel | 'silent'
  readonly color: boolean
  /** Gets the lines. */
  readonly to: Sink
  /** The app that is known to write them; another one is shown. */
  readonly name: string
}

/** Logs lines as people read them, and below an error its stack. */
export function readableLogger({ level, color, to, name }: ReadableLoggerOptions): Logger {
  const paint = pico.createColors(color)
  return jsonLogger({
    level,
    write: (line) => {
      const entry = toEntry(line)
      const lines = entry === undefined ? [line.trimEnd()] : readable(entry, paint, name)
      to.write(`${lines.join('\n')}\n`)
    },
  })
}
