import { pino } from 'pino'
import t from 'tap'
import { ActionError, jsonLogger, lucilius } from '../../lib/index.js'
import { log } from '../../plugins/log/index.js'

interface Line {
  readonly level: number
  readonly msg: string
  readonly pattern: string
  readonly service?: string
  readonly id: string
  readonly ms: number
  readonly outcome: string
}

/** Log lines as they are written, read again. */
function book() {
  const lines: Line[] = []
  const write = (text: string) => void lines.push(JSON.parse(text) as Line) // what a logger wrote
  return { lines, write, acts: () => lines.filter(({ msg }) => msg === 'act') }
}

t.test('each act leaves one line with pattern, service, id, duration and outcome in a pino log', async (t) => {
  const { lines, write } = book()
  await using app = lucilius({ name: 'shop' })
  app.use(log({ logger: pino({ base: null }, { write }) }))
  app.use(function prices(app) {
    app.add('role:shop,cmd:price', (_, { meta }) => ({ price: 3, id: meta.id }))
  })
  const { id } = (await app.act('role:shop,cmd:price', { item: 'tea' })) as { id: string } // what it replies above
  t.equal(lines.length, 1)
  t.match(lines[0], { level: 30, msg: 'act', pattern: 'cmd:price,role:shop', service: 'prices', id, outcome: 'ok' })
  t.ok((lines[0]?.ms ?? -1) >= 0)
  t.notMatch(JSON.stringify(lines), 'tea', 'messages are not written')
})

t.test('the outcome of an act that fails is a code, and the act fails as it would without the log', async (t) => {
  const { write, acts } = book()
  await using app = lucilius()
  app.use(log({ logger: jsonLogger({ write, level: 'debug' }), level: 'debug' }))
  app.add('role:shop,cmd:refuse', () => {
    throw new ActionError('SOLD_OUT', 'No tea left')
  })
  app.add('role:shop,cmd:crash', () => {
    throw new Error('out of order')
  })
  // Wakes up too late: its reply is dropped, and leaves no second line.
  app.add('role:shop,cmd:sleep', (_, { signal }) => new Promise((wake) => signal.addEventListener('abort', wake)))
  await app.ready()
  await t.rejects(app.act('role:shop,cmd:sleep', {}, { timeoutMs: 5 }), { code: 'LUC_DEADLINE_EXCEEDED' })
  await t.rejects(app.act('role:shop,cmd:refuse'), { code: 'SOLD_OUT' })
  await t.rejects(app.act('role:shop,cmd:crash'), { code: 'LUC_ACTION_FAILED' })
  t.strictSame(
    acts().map(({ level, outcome }) => [level, outcome]),
    [
      [20, 'LUC_DEADLINE_EXCEEDED'],
      [20, 'SOLD_OUT'],
      [20, 'LUC_ACTION_FAILED'],
    ],
  )
})

t.test('without options the lines go to the log of the app, and name the service once', async (t) => {
  const { lines, write, acts } = book()
  const texts: string[] = []
  const logger = jsonLogger({
    write: (text) => {
      texts.push(text)
      write(text)
    },
  })
  await using app = lucilius({ name: 'shop', logger })
  app.use(log())
  app.use(function prices(app) {
    app.add('role:shop,cmd:price', () => 3)
  })
  await app.act('role:shop,cmd:price')
  t.equal(lines.length, 1)
  t.match(acts()[0], { name: 'shop', service: 'prices', outcome: 'ok' })
  t.equal(texts[0]?.split('"service"').length, 2)
})

t.test('a line names the service that ran, a prior of the same pattern its own', async (t) => {
  const { write, acts } = book()
  await using app = lucilius()
  app.use(log({ logger: jsonLogger({ write }) }))
  app.use(function prices(app) {
    app.add('role:shop,cmd:price', () => 3)
  })
  app.use(function discounts(app) {
    app.add('role:shop,cmd:price', async (_, { prior }) => Number(await prior()) - 1)
  })
  t.equal(await app.act('role:shop,cmd:price'), 2)
  t.strictSame(
    acts().map(({ service }) => service),
    ['prices', 'discounts'],
  )
})

t.test('what a handler acts and its prior have lines of their own, above its own', async (t) => {
  const { write, acts } = book()
  await using app = lucilius()
  app.use(log({ logger: jsonLogger({ write }) }))
  app.add('role:shop', () => 'wide')
  app.add('role:stock', () => 'inner')
  app.add('role:shop,cmd:price', async (_, { act, prior }) => [await act('role:stock'), await prior()])
  await app.act('role:shop,cmd:price')
  t.strictSame(
    acts().map(({ pattern }) => pattern),
    ['role:stock', 'role:shop', 'cmd:price,role:shop'],
  )
})

t.test('a pattern limits the lines to the actions that it covers', async (t) => {
  const { write, acts } = book()
  await using app = lucilius()
  app.use(log({ logger: jsonLogger({ write }), pattern: 'role:shop' }))
  app.add('role:shop,cmd:price', () => 3)
  app.add('role:stock', () => 1)
  await app.act('role:stock')
  await app.act('role:shop,cmd:price')
  t.strictSame(
    acts().map(({ pattern }) => pattern),
    ['cmd:price,role:shop'],
  )
})
