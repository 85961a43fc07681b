import { execFileSync } from 'node:child_process'
import { Writable } from 'node:stream'
import { pino } from 'pino'
import t from 'tap'
import { ActionError, LuciliusError } from '../../lib/errors.js'
import { type JsonLoggerOptions, jsonLogger, type Logger, logLevels, silentLogger, toLogger } from '../../lib/logger.js'

type Line = Record<string, unknown>

/** A logger of ours, and the lines that it wrote. */
function recorded(options: JsonLoggerOptions = {}): { log: Logger; lines: Line[] } {
  const lines: Line[] = []
  const write = (line: string) => void lines.push(JSON.parse(line) as Line)
  return { log: jsonLogger({ ...options, write }), lines }
}

/** A pino logger, and the lines that it wrote. */
function recordedPino(bindings: Record<string, unknown>): { log: Logger; lines: Line[] } {
  const lines: Line[] = []
  const stream = new Writable({
    write(chunk, _encoding, done) {
      lines.push(JSON.parse(String(chunk)) as Line)
      done()
    },
  })
  return { log: pino({ base: bindings, level: 'trace' }, stream), lines }
}

t.test('each level is written with the number that pino gives it', (t) => {
  const { log, lines } = recorded({ level: 'trace' })
  const before = Date.now()
  for (const level of Object.keys(logLevels) as (keyof typeof logLevels)[]) log[level](level)
  t.same(
    lines.map(({ level, msg }) => [msg, level]),
    Object.entries(logLevels),
  )
  t.same({ ...logLevels }, pino.levels.values)
  t.ok(lines.every(({ time }) => typeof time === 'number' && time >= before && time <= Date.now()))
  t.end()
})

t.test('nothing below the level is written, and info is where it starts', (t) => {
  const { log, lines } = recorded()
  log.debug('no')
  log.info('yes')
  t.same(
    lines.map(({ msg }) => msg),
    ['yes'],
  )
  const silent = recorded({ level: 'silent' })
  silent.log.fatal('no')
  t.same(silent.lines, [])
  const wrong = { level: 'loud' } as unknown as JsonLoggerOptions
  t.throws(() => jsonLogger(wrong), { code: 'LUC_OPTIONS_INVALID', message: /'loud' is no log level\. Use trace, / })
  t.end()
})

t.test('a line is what pino writes for the same call', (t) => {
  const calls: ((log: Logger) => void)[] = [
    (log) => log.info('text'),
    (log) => log.warn({ a: 1, b: { c: [2] } }, 'text'),
    (log) => log.error({ a: 1 }),
    (log) => log.info({ msg: 'inside' }),
    (log) => log.info({ a: undefined }, 'text'),
    (log) => log.debug(undefined, 'text'),
    (log) => log.child({ service: 'rates' }).child({ id: 7 }).info({ a: 1 }, 'text'),
  ]
  for (const call of calls) {
    const ours = recorded({ level: 'trace', bindings: { name: 'convert' } })
    const theirs = recordedPino({ name: 'convert' })
    call(ours.log)
    call(theirs.log)
    t.same(
      ours.lines.map((line) => ({ ...line, time: 0 })),
      theirs.lines.map((line) => ({ ...line, time: 0 })),
    )
  }
  t.end()
})

t.test('an error is written with type, message, stack, code, its facts and its causes', (t) => {
  const { log, lines } = recorded()
  const cause = new TypeError('deep', { cause: new ActionError('RATE_UNKNOWN', 'deeper', { to: 'xyz' }) })
  const error = new LuciliusError('LUC_ACTION_FAILED', 'It threw.', { cause })
  log.error(error)
  log.error({ err: error, id: 7 }, 'act failed')
  const expected = {
    type: 'LuciliusError',
    message: 'It threw.',
    stack: /^LuciliusError: It threw\.\n +at /,
    code: 'LUC_ACTION_FAILED',
    handled: 'yes',
    cause: {
      type: 'TypeError',
      message: 'deep',
      cause: { type: 'ActionError', code: 'RATE_UNKNOWN', details: { to: 'xyz' } },
    },
  }
  t.match(lines[0], { level: 50, msg: 'It threw.', err: expected })
  t.match(lines[1], { level: 50, msg: 'act failed', id: 7, err: expected })
  t.end()
})

t.test('no value makes a line fail', (t) => {
  const { log, lines } = recorded()
  const cycle: Record<string, unknown> = { a: 1 }
  cycle.self = [cycle]
  const error: Error & { cause?: unknown } = new Error('x')
  error.cause = error
  const getter = {
    get value() {
      throw new Error('no')
    },
  }
  log.info({ cycle, shared: [cycle.a, cycle.a], big: 10n }, 'odd')
  log.info({ err: error }, 'own cause')
  log.info(getter, 'getter')
  log.info({ getter }, 'inner getter')
  log.info(7)
  log.info(null, 'null')
  t.match(lines[0], { msg: 'odd', cycle: { a: 1, self: ['[Circular]'] }, shared: [1, 1], big: '10' })
  t.match(lines[1], { msg: 'own cause', err: { message: 'x', cause: '[Circular]' } })
  t.match(lines[2], { level: 30, msg: 'getter', unwritable: String })
  t.match(lines[3], { level: 30, msg: 'inner getter', unwritable: String })
  t.match(lines[4], { msg: 7 })
  t.match(lines[5], { msg: 'null' })
  t.equal(lines.length, 6)
  t.end()
})

t.test('what is logged can pass for another line neither by level, time nor line ends', (t) => {
  const { log, lines } = recorded()
  log.info({ level: 60, time: 0, text: 'a\n{"level":60}' }, 'x')
  t.match(lines, [{ level: 30, text: 'a\n{"level":60}' }])
  t.not(lines[0]?.time, 0)
  t.end()
})

t.test('the option true writes JSON lines to stdout', (t) => {
  const module = new URL('../../lib/logger.js', import.meta.url).href
  const script = `import { toLogger } from '${module}'; toLogger(true).child({ name: 'a' }).info({ b: 1 }, 'c')`
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' })
  t.match(output, /^\{.*\}\n$/)
  t.match(JSON.parse(output), { level: 30, name: 'a', b: 1, msg: 'c' })
  t.end()
})

t.test('no logger and false log nothing, a pino instance is taken as it is', (t) => {
  t.equal(toLogger(undefined), silentLogger)
  t.equal(toLogger(false), silentLogger)
  t.equal(silentLogger.child({ a: 1 }), silentLogger)
  for (const level of Object.keys(logLevels) as (keyof typeof logLevels)[]) silentLogger[level]('nothing')
  const instance: Logger = pino({ level: 'silent' })
  t.equal(toLogger(instance), instance)
  const ours = jsonLogger()
  t.equal(toLogger(ours), ours)
  t.end()
})

t.test('what is not shaped like pino is refused, with the methods that it lacks', (t) => {
  const { trace: _trace, child: _child, ...partial } = silentLogger
  const refused = { code: 'LUC_OPTIONS_INVALID', message: /'logger' has no method trace, child\. Give true, false, or/ }
  t.throws(() => toLogger(partial as Logger), refused)
  for (const wrong of [console.log, 'info', 7, null, {}]) {
    t.throws(() => toLogger(wrong as unknown as Logger), { code: 'LUC_OPTIONS_INVALID' })
  }
  t.end()
})
