import t, { type Test } from 'tap'
import { convert } from '../../examples/currency/convert.js'
import { system } from '../../examples/currency/lucilius.config.js'
import { market } from '../../examples/currency/market.js'
import { rates } from '../../examples/currency/rates.js'
import { yen } from '../../examples/currency/yen.js'
import { type App, jsonLogger, lucilius } from '../../lib/index.js'
import { type Shape, type TestSystemOptions, testSystem } from '../../lib/testing/index.js'
import { mock } from '../../plugins/mock/index.js'
import { inProcess } from '../../transports/in-process/index.js'
import { start } from './program.js'
import { within } from './within.js'

const usdToEur = 'role:convert,cmd:amount,from:usd,to:eur,amount:100'
const shapes: readonly Shape[] = ['local', 'parity', 'split']

/** Runs the system for one message. */
async function ask(t: Test, ...args: string[]) {
  const program = start(t, args)
  const printed: string[] = []
  for (let line = await program.lines.next(); !line.done; line = await program.lines.next()) printed.push(line.value)
  return { ...(await program.ended), printed }
}

t.test('one message prints its reply as one line of JSON, the same each time, and exits 0', async (t) => {
  const [first, second] = await Promise.all([ask(t, usdToEur), ask(t, usdToEur)])
  t.match(first, { code: 0, complaints: '' })
  t.equal(first.printed.length, 1)
  const reply = JSON.parse(first.printed[0] ?? '') as { amount: number; rate: number; currency: string }
  t.equal(reply.currency, 'eur')
  t.ok(reply.rate > 0)
  t.equal(reply.amount, Math.round(reply.rate * 100 * 100) / 100, 'to the cent')
  t.strictSame(second.printed, first.printed)
})

t.test('a bad message fails with its code and the way out on stderr, no stack, and nothing on stdout', async (t) => {
  const cases: [string[], number, RegExp][] = [
    [['list'], 2, /^npm start does not know 'list'\. .*main\.js help\n$/],
    [['role:convert,cmd:nothing'], 1, /^LUC_ACTION_NOT_FOUND: .*Nearest: .*cmd:rate,role:convert/],
    [['role:convert,cmd:rate,from:usd,to:xyz'], 1, /^CURRENCY_UNKNOWN: .*xyz.*"known":\["eur","usd"/],
    [['role:convert,cmd:amount,from:usd,to:eur,amount:lots'], 1, /^AMOUNT_INVALID: .*"amount":"lots"/],
    [['role:rates,cmd:set,currency:usd,rate:0'], 1, /^RATE_REFUSED: /],
    [['role:rates,cmd:set,currency:USD,rate:1'], 1, /^CURRENCY_INVALID: /],
    [['a:b:c'], 2, /^lucilius: .*Quote it.*LUC_PATTERN_INVALID/],
    [[usdToEur, 'amount:5'], 2, /^lucilius: .*put in quotes/],
  ]
  t.jobs = 2
  for (const [args, code, message] of cases) {
    t.test(args.join(' '), async (t) => {
      const { printed, complaints, ...ended } = await ask(t, ...args)
      t.equal(ended.code, code)
      t.strictSame(printed, [])
      t.match(complaints, message)
      t.equal(complaints.trimEnd().split('\n').length, 1, 'one line, no stack')
    })
  }
})

t.test('without a message it says that the market is simulated and converts until SIGINT, then exits 0', async (t) => {
  const program = start(t, [])
  await program.next(/simulated/)
  const first = await program.next(/100 usd = [\d.]+ eur .* 100 chf = \d+ jpy/)
  t.not(await program.next(/100 usd = /), first, 'rates have changed')
  program.signal('SIGINT')
  t.strictSame(await program.ended, { code: 0, complaints: '' })
})

t.test('a SIGTERM to npm, which ends only the shell that npm has started, ends the system', async (t) => {
  const program = start(t, [], {}, true)
  await program.next(/100 usd = /)
  program.signal('SIGTERM')
  await program.next(/SIGTERM: draining/)
  t.strictSame(await program.ended, { code: null, complaints: '' }, 'of the shell, once nobody has its output open')
})

for (const shape of shapes) {
  t.test(`${shape}: a rate that is set reaches the conversions`, async (t) => {
    await using currency = await run({ shape })
    t.match(await currency.act(usdToEur), { amount: 90.91, currency: 'eur', rate: 0.909091 })

    await currency.act('role:rates,cmd:set', { currency: 'usd', rate: 2 })

    await within(5000, async () => (await rateOf(currency, 'usd')) === 0.5)
    t.match(await currency.act(usdToEur), { amount: 50, currency: 'eur', rate: 0.5 })
    t.match(
      currency.messages.filter(({ kind }) => kind === 'emit'),
      [{ service: 'rates', message: { event: 'changed', currency: 'usd', rate: 2 } }],
    )
  })

  t.test(`${shape}: a rate that is older than the one that is known changes nothing`, async (t) => {
    await using currency = await run({ shape, only: ['convert'], mocks: bank({ eur: 1, usd: 2, gbp: 2 }) })

    await currency.emit('role:rates,event:changed', { currency: 'usd', rate: 4, at: 0 })
    await currency.emit('role:rates,event:changed', { currency: 'gbp', rate: 4, at: 2 })

    await within(5000, async () => (await rateOf(currency, 'gbp')) === 0.25)
    t.equal(await rateOf(currency, 'usd'), 0.5)
  })

  t.test(`${shape}: yen are whole, by a special case that the conversion knows nothing of`, async (t) => {
    const mocks = bank({ eur: 1, jpy: 100.496, usd: 1.25 })
    await using currency = await run({ shape, only: ['convert', 'yen'], mocks })

    const yen = await currency.act('role:convert,cmd:amount,from:eur,to:jpy,amount:1')

    t.strictSame(yen, { amount: 100, currency: 'jpy', rate: 100.496 })
    t.match(await currency.act('role:convert,cmd:amount,from:eur,to:usd,amount:0.99'), { amount: 1.24 })
    t.strictSame(
      currency.messages.filter(({ pattern }) => pattern?.startsWith('cmd:amount')).map(({ service }) => service),
      ['yen', 'convert', 'convert'],
    )
  })

  t.test(`${shape}: what cannot be converted is refused with what is known`, async (t) => {
    await using currency = await run({ shape })
    const known = ['eur', 'usd', 'gbp', 'chf', 'jpy']

    await t.rejects(currency.act('role:convert,cmd:rate,from:usd,to:xyz'), {
      code: 'CURRENCY_UNKNOWN',
      details: { currency: 'xyz', known },
    })
    await t.rejects(currency.act('role:convert,cmd:amount,from:usd,to:eur', { amount: 'lots' } as never), {
      code: 'AMOUNT_INVALID',
    })
  })
}

t.test('two conversions in apps of their own both follow the rates', async (t) => {
  await using bank = lucilius({ name: 'bank' })
  bank.use(rates)
  const events = { in: '*', out: '*' } as const
  const { url } = await bank.listen(inProcess(), { expose: '*', events })
  await using one = lucilius({ name: 'convert' })
  await using two = lucilius({ name: 'convert' })
  for (const app of [one, two]) {
    await app.connect(inProcess({ url }))
    app.use(convert).use(yen)
    await app.ready()
  }

  await bank.act('role:rates,cmd:set', { currency: 'usd', rate: 2 })

  for (const app of [one, two]) await within(5000, async () => (await rateOf(app, 'usd')) === 0.5)
  t.strictSame(await one.act(usdToEur), await two.act(usdToEur))
})

t.test(
  'the same seed gives the same market, and a market that is closed in the middle of a move warns of nothing',
  async (t) => {
    const moves: string[][] = []
    for (let round = 0; round < 2; round++) {
      const lines: string[] = []
      const app = lucilius({ logger: jsonLogger({ level: 'warn', write: (line) => void lines.push(line) }) })
      const set = mock('role:rates,cmd:set', (message: object) => message)
      // The market has asked for the rates, and when it has them it is too late to set one.
      const closed = new Promise<void>((resolve, reject) => {
        const list = mock('role:rates,cmd:list', () => {
          if (list.sent.length === 6) app.close().then(resolve, reject)
          return ratesOf({ eur: 1, usd: 1.25, jpy: 160 })
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

/** The system without its market and its client, so that nothing happens but what a test does. */
function run(options: TestSystemOptions) {
  return testSystem(system, { only: ['rates', 'convert', 'yen'], ...options })
}

/** A bank that holds these rates, in place of `rates`. */
function bank(rates: { readonly [currency: string]: number }) {
  return { 'role:rates,cmd:list': ratesOf(rates) }
}

function ratesOf(rates: { readonly [currency: string]: number }) {
  return Object.entries(rates).map(([currency, rate]) => ({ currency, rate, at: 1 }))
}

async function rateOf(app: Pick<App, 'act'>, from: string): Promise<number> {
  return (await app.act('role:convert,cmd:rate', { from, to: 'eur' })).rate
}
