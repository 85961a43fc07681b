import { tracingChannel } from 'node:diagnostics_channel'
import { Writable } from 'node:stream'
import { pino } from 'pino'
import t from 'tap'
import { ActionError, type ActTrace, jsonLogger, lucilius } from '../../lib/index.js'
import { eventually } from './eventually.js'
import { failureOf } from './failure.js'

t.test('each act is told on the tracing channel lucilius:act: its start, its end, its error', async (t) => {
  const told: [string, ActTrace][] = []
  const note = (name: string) => (trace: unknown) => void told.push([name, { ...(trace as ActTrace) }])
  const subscribers = {
    start: note('start'),
    end: () => {},
    asyncStart: () => {},
    asyncEnd: note('asyncEnd'),
    error: note('error'),
  }
  const channel = tracingChannel<unknown, ActTrace>('lucilius:act')
  const app = lucilius({ name: 'shop' })
  app.add('a:1', () => 'reply')
  app.add('a:2', (_, { act }) => act('a:1'))
  app.add('a:3', () => {
    throw new ActionError('NO', 'No')
  })
  await app.ready()
  await app.act('a:1')
  t.strictSame(told, [], 'silent when nobody listens')
  channel.subscribe(subscribers)
  await app.act('a:2', { x: 1 })
  await failureOf(app.act('a:3'))
  channel.unsubscribe(subscribers)
  await app.act('a:1')
  t.strictSame(
    told.map(([name, { pattern }]) => `${name} ${pattern}`),
    ['start a:2', 'start a:1', 'asyncEnd a:1', 'asyncEnd a:2', 'start a:3', 'error a:3', 'asyncEnd a:3'],
  )
  t.match(told[0]?.[1], { pattern: 'a:2', service: 'shop', remote: undefined, message: { a: 2, x: 1 }, hops: 1 })
  t.match(told[3]?.[1], { result: 'reply' })
  t.match(told[5]?.[1], { error: { code: 'NO' } })
  await app.close()
})

t.test('an app says nothing unless it is given a logger', async (t) => {
  const written: string[] = []
  const real = process.stdout.write
  const silent = lucilius()
  silent.add('a:1', () => {
    throw new Error('x')
  })
  process.stdout.write = ((chunk: string) => written.push(chunk) > 0) as never
  try {
    await failureOf(silent.act('a:1'))
    await silent.close()
  } finally {
    process.stdout.write = real
  }
  t.strictSame(written, [])
})

t.test('a handler that fails is logged once, with its cause, the pattern and the id', async (t) => {
  const lines: Record<string, unknown>[] = []
  const app = lucilius({
    name: 'shop',
    logger: jsonLogger({ write: (line) => void lines.push(JSON.parse(line) as never) }),
  })
  app.use(function orders(app) {
    app.add('a:1', (_, { log }) => {
      log.info({ x: 1 }, 'inside')
      throw new Error('the reason')
    })
    app.add('a:2', () => {
      throw new ActionError('NO', 'expected')
    })
    app.on('e:1', () => {
      throw new Error('observer')
    })
  })
  const error = await failureOf(app.act('a:1'))
  t.match(error.cause, { message: 'the reason' }, 'near at hand for whoever is in this process')
  await failureOf(app.act('a:2'))
  await app.emit('e:1')
  await eventually(() => lines.some((line) => JSON.stringify(line).includes('observer')))
  const errors = lines.filter(({ level }) => level === 50)
  t.equal(errors.length, 2, 'an ActionError is an answer, and not logged as a failure')
  t.match(errors[0], { name: 'shop', service: 'orders', pattern: 'a:1', id: /\w/, err: { message: 'the reason' } })
  t.match(errors[1], { service: 'orders', pattern: 'e:1', err: { message: 'observer' } })
  t.match(
    lines.find(({ msg }) => msg === 'inside'),
    { name: 'shop', service: 'orders', x: 1 },
  )
  await app.close()
})

t.test('pino is a logger, and so is anything of its shape', async (t) => {
  const chunks: string[] = []
  const stream = new Writable({
    write(chunk, _encoding, done) {
      chunks.push(String(chunk))
      done()
    },
  })
  const app = lucilius({ name: 'shop', logger: pino({ level: 'debug' }, stream) })
  app.use(function orders(app) {
    app.log.info('set up')
  })
  app.log.warn({ x: 1 }, 'careful')
  await app.ready()
  const lines = chunks.map((chunk) => JSON.parse(chunk) as Record<string, unknown>)
  t.match(
    lines.find(({ msg }) => msg === 'careful'),
    { level: 40, name: 'shop', x: 1 },
  )
  t.match(
    lines.find(({ msg }) => msg === 'set up'),
    { level: 30, name: 'shop', service: 'orders' },
  )
  await app.close()
})

t.test('a logger that throws harms nobody', async (t) => {
  let full = false
  const write = () => {
    if (full) throw new Error('disk full')
  }
  const logger = {
    trace: write,
    debug: write,
    info: write,
    warn: write,
    error: write,
    fatal: write,
    child: () => logger,
  }
  const app = lucilius({ logger: logger as never })
  let seen = 0
  app.add('a:1', () => {
    throw new Error('x')
  })
  app.add('a:2', async () => {
    throw new Error('x')
  })
  app.on('e:1', () => {
    throw new Error('x')
  })
  app.on('e:1', () => ++seen)
  await app.ready()
  full = true
  for (const text of ['a:1', 'a:2']) {
    t.match(await failureOf(app.act(text, {}, { timeoutMs: 200 })), { code: 'LUC_ACTION_FAILED' }, text)
  }
  await app.emit('e:1')
  await eventually(() => seen === 1)
  await app.close()
})
