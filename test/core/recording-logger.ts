import { jsonLogger, type Logger } from '../../lib/index.js'

const numbers = { debug: 20, info: 30, warn: 40, error: 50 } as const

/** A logger that keeps its lines, as objects that JSON could hold. */
export function recordingLogger(): {
  readonly logger: Logger
  lines(level: keyof typeof numbers): Record<string, unknown>[]
} {
  const kept: Record<string, unknown>[] = []
  const logger = jsonLogger({ level: 'debug', write: (line) => void kept.push(JSON.parse(line)) })
  return { logger, lines: (level) => kept.filter((line) => line.level === numbers[level]) }
}
