import { mock } from 'node:test'
import t, { type Test } from 'tap'
import { type App, type AppOptions, LuciliusError, lucilius } from '../../lib/index.js'
import type { Finding, Transport } from '../../lib/transport-kit.js'
import { inProcess } from '../../transports/in-process/index.js'
import { eventually } from './eventually.js'
import { failureOf } from './failure.js'
import { recordingLogger } from './recording-logger.js'

/** A medium on which many listen, as behind a broker: it tells those who look who comes and who goes. */
class Medium {
  readonly #addresses = new Set<string>()
  readonly #findings = new Set<Finding>()
  /** Errors that the next searches end in. */
  readonly refusals: Error[] = []
  /** How often somebody has begun to look. */
  searches = 0

  /** What apps connect with. */
  transport(): Transport {
    return {
      ...inProcess(),
      name: 'medium',
      discover: async (finding) => {
        this.searches++
        const refusal = this.refusals.shift()
        if (refusal !== undefined) throw refusal
        this.#findings.add(finding)
        for (const address of this.#addresses) this.#tell(finding, address)
        return { close: async () => void this.#findings.delete(finding) }
      },
    }
  }

  /** Lets an app listen where others find it. */
  async listen(app: App): Promise<{ readonly address: string; again(): void; leave(): void }> {
    const { url: address } = await app.listen(inProcess(), { expose: '*', events: { in: '*', out: '*' } })
    this.#addresses.add(address)
    const again = () => {
      for (const finding of this.#findings) this.#tell(finding, address)
    }
    again()
    return {
      address,
      again,
      leave: () => {
        this.#addresses.delete(address)
        for (const finding of this.#findings) finding.gone(address)
      },
    }
  }

  get lookers(): number {
    return this.#findings.size
  }

  #tell(finding: Finding, address: string): void {
    finding.found(address, inProcess({ url: address }))
  }
}

function made(t: Test, name: string, options: AppOptions = {}): App {
  const app = lucilius({ name, drainMs: 100, ...options })
  t.teardown(() => app.close())
  return app
}

t.test('one connect finds everybody who listens, and those who come later', async (t) => {
  const medium = new Medium()
  const rates = made(t, 'rates')
  rates.add('role:rates', () => 'rates')
  await medium.listen(rates)
  const caller = made(t, 'caller')
  const connection = await caller.connect(medium.transport())
  t.equal(connection.peer, undefined, 'it leads to nobody in particular')
  t.equal(await caller.act('role:rates'), 'rates', 'known when connect resolves')
  t.match(await failureOf(caller.act('role:convert')), { code: 'LUC_ACTION_NOT_FOUND' })
  const convert = made(t, 'convert')
  convert.add('role:convert', () => 'convert')
  await medium.listen(convert)
  await eventually(() => caller.find('role:convert') !== undefined)
  t.equal(await caller.act('role:convert'), 'convert')
  await connection.close()
  t.equal(medium.lookers, 0)
  t.match(await failureOf(caller.act('role:rates')), { code: 'LUC_ACTION_NOT_FOUND' }, 'closed: all is forgotten')
})

t.test('who listens there as well finds itself and stays alone with itself, however often it is found', async (t) => {
  const medium = new Medium()
  const alone = made(t, 'alone')
  alone.add('a:1', () => 1)
  const here = await medium.listen(alone)
  await alone.connect(medium.transport())
  here.again()
  here.again()
  t.equal(alone.list().length, 1)
  t.equal(await alone.act('a:1'), 1)
})

t.test('what goes for good is not tried again, and acts to it wait for another one', async (t) => {
  const medium = new Medium()
  const first = lucilius({ name: 'rates' })
  first.add('role:rates', () => 'first')
  const there = await medium.listen(first)
  const caller = made(t, 'caller')
  await caller.connect(medium.transport())
  await first.close()
  there.leave()
  const waiting = caller.act('role:rates', {}, { timeoutMs: 5000 })
  const second = made(t, 'rates')
  second.add('role:rates', () => 'second')
  await medium.listen(second)
  t.equal(await waiting, 'second')
})

t.test(
  'a peer that is lost without a word is forgotten after forgetMs, and found again if it comes back',
  async (t) => {
    const medium = new Medium()
    const first = lucilius({ name: 'rates' })
    first.add('role:rates', () => 'first')
    await medium.listen(first)
    const caller = made(t, 'caller', { forgetMs: 60 })
    await caller.connect(medium.transport())
    await first.close()
    t.match(await failureOf(caller.act('role:rates', {}, { timeoutMs: 2000 })), { handled: /^no$/ })
    await eventually(() => caller.find('role:rates') === undefined)
    const second = made(t, 'rates')
    second.add('role:rates', () => 'second')
    await medium.listen(second)
    await eventually(() => caller.find('role:rates') !== undefined)
    t.equal(await caller.act('role:rates'), 'second')
  },
)

t.test('a medium that cannot be reached is tried until it can; acts wait meanwhile', async (t) => {
  const medium = new Medium()
  medium.refusals.push(new Error('not yet'), new Error('not yet'))
  const rates = made(t, 'rates')
  rates.add('role:rates', () => 'rates')
  await medium.listen(rates)
  const caller = made(t, 'caller')
  await caller.connect(medium.transport(), { wait: false })
  t.equal(await caller.act('role:rates'), 'rates')
  t.equal(medium.searches, 3)
})

t.test('an app that is closed while it looks stops looking', async (t) => {
  const medium = new Medium()
  for (let i = 0; i < 1000; i++) medium.refusals.push(new Error('never'))
  const caller = made(t, 'caller')
  const connecting = caller.connect(medium.transport())
  await eventually(() => medium.searches > 1)
  await caller.close()
  t.match(await failureOf(connecting), { code: 'LUC_SERVICE_CLOSED' })
  const { searches } = medium
  await new Promise((resolve) => setTimeout(resolve, 150))
  t.equal(medium.searches, searches)
})

t.test('a peer that this app cannot talk to is left alone for five seconds', async (t) => {
  const { finding, transport } = finder()
  const caller = made(t, 'caller')
  await caller.connect(transport)
  let tries = 0
  const mistaken = connecting(async () => {
    tries++
    throw new LuciliusError('LUC_OPTIONS_INVALID', 'It cannot be done so.')
  })
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => mock.timers.reset())
  const find = async () => {
    finding().found('there', mistaken)
    await turn()
  }
  await find()
  await find()
  finding().gone('there')
  await find()
  mock.timers.tick(4999)
  await find()
  t.equal(tries, 1)
  mock.timers.tick(1)
  await find()
  t.equal(tries, 2)
})

t.test('at most ten thousand addresses are kept, and that is told once', async (t) => {
  const { logger, lines } = recordingLogger()
  const { finding, transport } = finder()
  const caller = made(t, 'caller', { logger })
  await caller.connect(transport)
  let tries = 0
  const silent = connecting(() => {
    tries++
    return new Promise(() => {})
  })
  for (let n = 0; n < 10_010; n++) finding().found(`${n}`, silent)
  t.equal(tries, 10_000)
  finding().gone('5')
  finding().found('another', silent)
  finding().found('one too many', silent)
  t.equal(tries, 10_001, 'one has made room')
  t.equal(lines('warn').length, 1)
})

/** A medium on which the test says what is found. */
function finder(): { readonly finding: () => Finding; readonly transport: Transport } {
  let told: Finding | undefined
  const discover = async (finding: Finding) => {
    told = finding
    return { close: async () => {} }
  }
  return { finding: () => told as Finding, transport: { ...inProcess(), discover } }
}

/** A way to somebody who was found. */
function connecting(connect: Transport['connect']): Transport {
  return { ...inProcess(), connect }
}

/** Resolves when what is ready to run has run. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
