import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { convert } from '../../examples/currency/convert.js'
import { market } from '../../examples/currency/market.js'
import { rates } from '../../examples/currency/rates.js'
import { yen } from '../../examples/currency/yen.js'
import { jsonLogger, lucilius } from '../../lib/index.js'
import { mock } from '../../plugins/mock/index.js'
import { inProcess } from '../../transports/in-process/index.js'
import { start } from './program.js'

const main = fileURLToPath(new URL('../../examples/currency/main.js', import.meta.url))
const usdToEur = 'role:convert,cmd:amount,from:usd,to:eur,amount:100'

/** Runs the system for one message. */
async function ask(...args: string[]) {
  const program = start(main, ...args)
  const printed: string[] = []
  for (let line = await program.lines.next(); !line.done; line = await program.lines.next()) printed.push(line.value)
  return { ...(await program.ended), printed }
}

t.test('one message prints its reply as one line of JSON, the same each time, and exits 0', async (t) => {
  const [first, second] = await Promise.all([ask(usdToEur), ask(usdToEur)])
  t.match(first, { code: 0, complaints: '' })
  t.equal(first.printed.length, 1)
  const reply = JSON.parse(first.printed[0] ?? '') as { amount: number; rate: number; currency: string }
  t.equal(reply.currency, 'eur')
  t.ok(reply.rate > 0)
  t.equal(reply.amount, Math.round(reply.rate * 100 * 100) / 100, 'to the cent')
  t.strictSame(second.printed, first.printed)
})

t.test('a bad message exits 1 with its code and the way out on stderr, no stack, and nothing on stdout', async (t) => {
  const cases: [string[], RegExp][] = [
    [['role:convert,cmd:nothing'], /^LUC_ACTION_NOT_FOUND: .*Nearest: .*cmd:rate,role:convert/],
    [['role:convert,cmd:rate,from:usd,to:xyz'], /^CURRENCY_UNKNOWN: .*xyz.*"known":\["eur","usd"/],
    [['role:convert,cmd:amount,from:usd,to:eur,amount:lots'], /^AMOUNT_INVALID: .*"amount":"lots"/],
    [['role:rates,cmd:set,currency:usd,rate:0'], /^RATE_REFUSED: /],
    [['role:rates,cmd:set,currency:USD,rate:1'], /^CURRENCY_INVALID: /],
    [['a:b:c'], /^LUC_PATTERN_INVALID: .*Quote it/],
    [[usdToEur, 'amount:5'], /^Give one message, in quotes/],
  ]
  for (const [args, message] of cases) {
    const { code, printed, complaints } = await ask(...args)
    t.equal(code, 1)
    t.strictSame(printed, [])
    t.match(complaints, message)
    t.equal(complaints.trimEnd().split('\n').length, 1, 'one line, no stack')
  }
})

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  t.test(
    `without a message it says that the market is simulated and converts until ${signal}, then exits 0`,
    async (t) => {
      const program = start(main)
      const next = async () => (await program.lines.next()).value
      t.match(await next(), /simulated/)
      t.match(await next(), /^curl .*127\.0\.0\.1:\d+\/act$/)
      const [first, second] = [await next(), await next()]
      t.match(first, /100 usd = [\d.]+ eur .* 100 chf = \d+ jpy/)
      t.not(second, first, 'rates have changed')
      program.signal(signal)
      t.strictSame(await program.ended, { code: 0, complaints: '' })
    },
  )
}

t.test('yen are whole, by a special case in front of the conversion that knows nothing of it', async (t) => {
  await using app = lucilius()
  app.use(yen).use(convert)
  app.use(mock('role:rates,cmd:list', [rate('eur', 1), rate('jpy', 100.496), rate('usd', 1.25)]))
  t.strictSame(await app.act('role:convert,cmd:amount,from:eur,to:jpy,amount:1'), {
    amount: 100,
    currency: 'jpy',
    rate: 100.496,
  })
  t.match(await app.act('role:convert,cmd:amount,from:eur,to:usd,amount:0.99'), { amount: 1.24 })
  const { winner, priors } = app.explain('role:convert,cmd:amount,from:eur,to:jpy,amount:1')
  t.match([winner, ...priors], [{ service: 'yen' }, { service: 'convert' }])
})

t.test('a rate that is set reaches the conversions', async (t) => {
  await using app = lucilius()
  app.use(rates).use(convert)
  await app.ready()
  const changed = heard(app)
  await app.act('role:rates,cmd:set', { currency: 'usd', rate: 2 })
  await changed
  t.match(await app.act(usdToEur), { amount: 50, rate: 0.5 })
})

t.test('a rate that is older than the one that is known changes nothing', async (t) => {
  await using app = lucilius()
  app.use(convert)
  app.use(mock('role:rates,cmd:list', [rate('eur', 1), { currency: 'usd', rate: 2, at: 20 }]))
  await app.ready()
  const changed = heard(app)
  await app.emit('role:rates,event:changed', { currency: 'usd', rate: 4, at: 10 })
  await changed
  t.match(await app.act(usdToEur), { rate: 0.5 })
})

t.test(
  'two conversions in apps of their own give the same replies as one app, and both follow the rates',
  async (t) => {
    await using bank = lucilius({ name: 'bank' })
    bank.use(rates)
    const listener = await bank.listen(inProcess(), {
      expose: ['role:rates,cmd:*'],
      events: { out: ['role:rates,event:changed'], in: ['role:rates,event:changed'] },
    })
    await using one = lucilius({ name: 'one' })
    await using two = lucilius({ name: 'two' })
    for (const app of [one, two]) {
      await app.connect(inProcess({ url: listener.url }))
      app.use(convert).use(yen)
      await app.ready()
    }
    await using alone = lucilius()
    alone.use(rates).use(convert).use(yen)
    for (const text of [usdToEur, 'role:convert,cmd:amount,from:usd,to:jpy,amount:3']) {
      const expected = await alone.act(text)
      t.strictSame(await one.act(text), expected)
      t.strictSame(await two.act(text), expected)
    }
    const changed = Promise.all([heard(one), heard(two)])
    await one.act('role:rates,cmd:set', { currency: 'usd', rate: 2 })
    await changed
    t.match(await one.act(usdToEur), { rate: 0.5 })
    t.match(await two.act(usdToEur), { rate: 0.5 })
  },
)

t.test(
  'the same seed gives the same market, and a market that is closed in the middle of a move says nothing',
  async (t) => {
    const moves: string[][] = []
    for (let round = 0; round < 2; round++) {
      const lines: string[] = []
      const app = lucilius({ logger: jsonLogger({ write: (line) => void lines.push(line) }) })
      const set = mock('role:rates,cmd:set', (message: object) => message)
      // The market has asked for the rates, and when it has them it is too late to set one.
      const closed = new Promise<void>((resolve, reject) => {
        const list = mock('role:rates,cmd:list', () => {
          if (list.sent.length === 6) app.close().then(resolve, reject)
          return [rate('eur', 1), rate('usd', 1.25), rate('jpy', 160)]
        })
        app.use(set).use(list).use(market, { everyMs: 1, seed: 7 })
      })
      await app.ready()
      await closed
      moves.push(set.sent.map(({ message }) => JSON.stringify(message)))
      t.strictSame(lines, [])
    }
    t.equal(moves[0]?.length, 5)
    t.strictSame(moves[0], moves[1])
  },
)

function rate(currency: string, rate: number) {
  return { currency, rate, at: 1 }
}

/** Resolves when an app has heard of the next change: what it observed before has run by then. */
async function heard(app: ReturnType<typeof lucilius>): Promise<void> {
  const done = new AbortController()
  const subscription = app.on('role:rates,event:changed', { each: 'instance' }, () => done.abort())
  await once(done.signal, 'abort')
  subscription.remove()
}
