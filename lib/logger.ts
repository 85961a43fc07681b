import { LuciliusError } from './errors.js'
import { StringifyTrail } from './stringify-trail.js'

/** The levels of {@link Logger}, quietest last, with the numbers that pino writes for them. */
export const logLevels = Object.freeze({ trace: 10, debug: 20, info: 30, warn: 40, error: 50, fatal: 60 })

/** A level of {@link Logger}. */
export type LogLevel = keyof typeof logLevels

/** What the app logs to. A pino instance is one, and so is anything of the same shape. */
export interface Logger {
  /** What only an author of lucilius wants to see. */
  trace(objOrMsg: unknown, msg?: string): void
  /** What helps to find a fault. */
  debug(objOrMsg: unknown, msg?: string): void
  /** What an operator wants to know. */
  info(objOrMsg: unknown, msg?: string): void
  /** What may become a failure. */
  warn(objOrMsg: unknown, msg?: string): void
  /** What failed. */
  error(objOrMsg: unknown, msg?: string): void
  /** What ends the process. */
  fatal(objOrMsg: unknown, msg?: string): void
  /** Makes a logger that adds these properties to every line. */
  child(bindings: Record<string, unknown>): Logger
  /** The lowest level that is written. */
  readonly level?: string
}

/** Options of {@link jsonLogger}. */
export interface JsonLoggerOptions {
  /** The lowest level that is written, `info` unless given. */
  readonly level?: LogLevel | 'silent'
  /** Gets each line, its line end included. Writes to stdout unless given. */
  readonly write?: (line: string) => void
  /** Stands in every line: `{ name: 'convert' }`. */
  readonly bindings?: Readonly<Record<string, unknown>>
}

/** Logs nothing. */
export const silentLogger: Logger = Object.freeze({
  level: 'silent',
  trace: nothing,
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
  fatal: nothing,
  child: () => silentLogger,
})

/**
 * Logs JSON lines as pino writes them: `level` as a number, `time` in ms, the bindings, the object's properties, `msg`.
 *
 * Errors are written with type, message, stack, their own properties and their cause. No value makes it throw: a bigint
 * is written as a string, an object inside itself as `[Circular]`. Throws `LUC_OPTIONS_INVALID` for an unknown level.
 */
export function jsonLogger(options: JsonLoggerOptions = {}): Logger {
  const { level = 'info', write = writeToStdout, bindings = {} } = options
  const least = level === 'silent' ? Number.POSITIVE_INFINITY : levelNumber(level)
  const at = (number: number) => (number < least ? nothing : lineWriter(number, bindings, write))
  return {
    level,
    trace: at(logLevels.trace),
    debug: at(logLevels.debug),
    info: at(logLevels.info),
    warn: at(logLevels.warn),
    error: at(logLevels.error),
    fatal: at(logLevels.fatal),
    child: (more) => jsonLogger({ level, write, bindings: { ...bindings, ...more } }),
  }
}

/**
 * Gives the logger that an option asks for: JSON lines for `true`, nothing for `false` or undefined, or the given one.
 *
 * Throws `LUC_OPTIONS_INVALID` for what is not shaped like pino.
 */
export function toLogger(option: boolean | Logger | undefined): Logger {
  if (option === undefined || option === false) return silentLogger
  if (option === true) return jsonLogger()
  const missing = [...Object.keys(logLevels), 'child'].filter((name) => !hasMethod(option, name))
  if (missing.length === 0) return option
  const facts = `The option 'logger' has no method ${missing.join(', ')}.`
  throw new LuciliusError('LUC_OPTIONS_INVALID', `${facts} Give true, false, or a logger shaped like pino.`)
}

/** The same logger, but one that throws loses its line, never the work that it was told of. */
export function harmless(logger: Logger): Logger {
  if (logger === silentLogger) return logger
  const methods: PropertyDescriptorMap = {
    child: {
      value: (bindings: Record<string, unknown>) => harmless(attempt(() => logger.child(bindings)) ?? logger),
    },
  }
  for (const level of Object.keys(logLevels) as LogLevel[]) {
    methods[level] = { value: (...line: [unknown, string?]) => void attempt(() => logger[level](...line)) }
  }
  // Made from it, so that what it has beyond our methods stays.
  return Object.create(logger, methods)
}

function attempt<T>(log: () => T): T | undefined {
  try {
    return log()
  } catch {
    return undefined // there is nowhere left to say it
  }
}

function lineWriter(level: number, bindings: object, write: (line: string) => void) {
  return (objOrMsg: unknown, msg?: string) => {
    const head = { level, time: Date.now() }
    write(`${toText(() => ({ ...head, ...bindings, ...fieldsOf(objOrMsg, msg), ...head })) ?? rest(head, msg)}\n`)
  }
}

function fieldsOf(objOrMsg: unknown, msg: string | undefined): object {
  if (objOrMsg instanceof Error) return { err: objOrMsg, msg: msg ?? objOrMsg.message }
  if (typeof objOrMsg === 'object' && objOrMsg !== null) return msg === undefined ? objOrMsg : { ...objOrMsg, msg }
  return { msg: objOrMsg ?? msg }
}

/** Gives undefined for what cannot be written at all: a getter or a toJSON that throws. */
function toText(line: () => object): string | undefined {
  const trail = new StringifyTrail()
  const errors = new Map<Error, object>()
  try {
    return JSON.stringify(line(), function (this: unknown, key: string, value: unknown) {
      const plain = value instanceof Error ? once(errors, value, errorFields) : value
      if (trail.enter(this, key, plain)) return '[Circular]'
      return typeof plain === 'bigint' ? String(plain) : plain
    })
  } catch {
    // Logging must not be what fails; the line that stands in for this one says so.
    return undefined
  }
}

function rest(head: object, msg: string | undefined): string {
  return JSON.stringify({ ...head, msg, unwritable: 'What was logged here cannot be written as JSON.' })
}

/** One plain object for each error, so that an error that is its own cause is seen to stand inside itself. */
function once<K, V>(made: Map<K, V>, key: K, make: (key: K) => V): V {
  const value = made.get(key) ?? make(key)
  made.set(key, value)
  return value
}

function errorFields(error: Error): object {
  const { name, message, stack, cause } = error
  return {
    type: error.constructor.name || name,
    message,
    stack,
    ...(error as object),
    ...(cause === undefined ? {} : { cause }),
  }
}

function levelNumber(level: LogLevel): number {
  if (Object.hasOwn(logLevels, level)) return logLevels[level]
  const known = Object.keys(logLevels).join(', ')
  throw new LuciliusError('LUC_OPTIONS_INVALID', `'${String(level)}' is no log level. Use ${known} or silent.`)
}

function hasMethod(value: unknown, name: string): boolean {
  return typeof value === 'object' && value !== null && typeof Reflect.get(value, name) === 'function'
}

function writeToStdout(line: string): void {
  process.stdout.write(line)
}

function nothing(): void {}
