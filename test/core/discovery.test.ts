import { mock } from 'node:test'
import t, { type Test } from 'tap'
import { type App, type AppOptions, LuciliusError, lucilius } from '../../lib/index.js'
import type { Finding, Observer, Transport } from '../../lib/transport-kit.js'
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

t.test('of those never met 64 are tried at once, the others wait their turn; at most 10,000 are kept', async (t) => {
  const { logger, lines } = recordingLogger()
  const { finding, transport } = finder()
  const caller = made(t, 'caller', { logger })
  await caller.connect(transport)
  const tried: string[] = []
  const fails: (() => void)[] = []
  const find = (address: string) => {
    const silent = connecting(() => {
      tried.push(address)
      return new Promise((_, reject) => fails.push(() => reject(unreachable())))
    })
    finding().found(address, silent)
  }
  for (let n = 0; n < 10_010; n++) find(`${n}`)
  t.equal(tried.length, 64)
  t.equal(lines('warn').length, 1, 'that some are left out is told once')
  finding().gone('64')
  find('another')
  find('one too many')
  for (const fail of fails.splice(0, 2)) fail()
  await eventually(() => tried.length === 66)
  t.strictSame(tried.slice(64), ['65', '66'], 'in order, but those who have gone')
  t.equal(lines('warn').length, 1)
  await caller.close()
  await turn()
  t.equal(tried.length, 66, 'and nobody when nobody looks any more')
})

t.test(
  'who was found and never met is tried slowly; a sign of it makes one try, at most one a second, and no patience',
  async (t) => {
    const { finding, transport } = finder()
    const caller = made(t, 'caller', { forgetMs: 30_000 })
    await caller.connect(transport)
    const pass = clock(t, 0.5)
    let tries = 0
    const dead = connecting(async () => {
      tries++
      throw unreachable()
    })
    const sign = async () => {
      finding().found('there', dead)
      await pass(1)
    }
    await sign()
    t.equal(tries, 1)
    await pass(2400)
    t.equal(tries, 1, 'not again and again')
    await pass(100)
    t.equal(tries, 2, 'half of five seconds later')
    await sign()
    await sign()
    t.equal(tries, 2)
    await pass(1000)
    t.equal(tries, 3, 'a second after the last try')
    await pass(1100)
    await sign()
    t.equal(tries, 4, 'at once')
    for (let n = 0; n < 34; n++) {
      await pass(700)
      await sign()
    }
    t.ok(tries <= 4 + 24, `${tries} tries`)
    await pass(5000)
    const before = tries
    await pass(60_000)
    t.equal(tries, before, 'after half a minute it is given up')
    await sign()
    t.equal(tries, before + 1, 'until there is another sign')
  },
)

t.test('who comes back where it was is met at its first sign of life, after 20 s and after a minute', async (t) => {
  const { finding, transport } = finder()
  const caller = made(t, 'caller')
  await caller.connect(transport)
  const pass = clock(t, 0.99)
  const rates = new Remote('rates', 'one')
  const sign = async () => {
    finding().found('there', rates.transport)
    await pass(1)
  }
  await sign()
  for (const [n, ms] of [20_000, 60_000].entries()) {
    rates.lose()
    for (let past = 0; past < ms; past += 100) await pass(100)
    rates.isThere = true
    await sign()
    await pass(1000)
    t.equal(rates.connections, n + 2)
  }
})

t.test('an instance that is found at several addresses is connected to once', async (t) => {
  const { finding, transport } = finder()
  const caller = made(t, 'caller')
  await caller.connect(transport)
  const pass = clock(t, 0.5)
  const [first, second] = [new Remote('rates', 'same'), new Remote('rates', 'same')]
  const sign = async () => {
    finding().found('first', first.transport)
    finding().found('second', second.transport)
    await pass(1)
  }
  await sign()
  t.strictSame([first.open, second.open], [1, 0])
  await sign()
  t.equal(second.connections, 1, 'the other address is left alone')
  t.equal(caller.list('role:rates').length, 1)
  first.lose()
  await sign()
  await pass(100)
  t.strictSame([first.open, second.open], [0, 1], 'but not when it is needed')
  first.isThere = true
  await pass(6000)
  t.strictSame([first.connections, first.open, second.open], [2, 0, 1], 'then the first is one too many')
  await pass(29_000)
  t.equal(first.connections, 2)
  await pass(1001)
  await sign()
  t.strictSame([first.connections, first.open], [3, 0], 'half a minute later it may lead to somebody else')
  finding().gone('second')
  await sign()
  await pass(1)
  t.strictSame([first.open, second.open], [1, 0])
})

t.test('an address that leads to this app itself is left alone for half a minute', async (t) => {
  const { finding, transport } = finder()
  const self = made(t, 'self')
  const { url } = await self.listen(inProcess(), { expose: '*' })
  const other = made(t, 'other')
  other.add('role:other', () => 'other')
  const there = await other.listen(inProcess(), { expose: '*' })
  await self.connect(transport)
  let tries = 0
  let leadsTo = url
  const address = connecting((observer) => {
    tries++
    return inProcess({ url: leadsTo }).connect(observer)
  })
  const pass = clock(t, 0.5)
  const sign = async () => {
    finding().found('there', address)
    await pass(1)
  }
  await sign()
  leadsTo = there.url
  await sign()
  await pass(29_000)
  await sign()
  t.equal(tries, 1)
  await pass(1000)
  await sign()
  t.equal(tries, 2)
  t.ok(self.find('role:other'), 'it may be the address of somebody else by then')
})

t.test('what would be no way to begin with is tried again where a peer was met before', async (t) => {
  const caller = made(t, 'caller')
  const rates = new Remote('rates', 'one')
  await caller.connect(rates.transport)
  rates.refusal = new LuciliusError('LUC_OPTIONS_INVALID', 'It cannot be done so.')
  rates.lose()
  await eventually(() => rates.refused > 1)
  rates.isThere = true
  await eventually(() => rates.connections === 2)
})

t.test('that somebody who was found is about to end is no reason to warn', async (t) => {
  const { logger, lines } = recordingLogger()
  const { finding, transport } = finder()
  const caller = made(t, 'caller', { logger })
  await caller.connect(transport)
  const draining = connecting(async () => {
    throw new LuciliusError('LUC_SERVICE_CLOSED', 'It is closing.')
  })
  finding().found('there', draining)
  await eventually(() => lines('debug').some(({ err }) => (err as LuciliusError)?.code === 'LUC_SERVICE_CLOSED'))
  t.strictSame(lines('warn'), [])
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

function unreachable(): LuciliusError {
  return new LuciliusError('LUC_UNREACHABLE', 'Nobody is there.')
}

/** An app elsewhere that comes and goes. */
class Remote {
  isThere = true
  /** How many connections there were to it, and how many are open. */
  connections = 0
  open = 0
  /** How often it was not there, and what is said then. */
  refused = 0
  refusal = unreachable()
  readonly transport: Transport
  #observer: Observer | undefined

  constructor(name: string, instance: string) {
    this.transport = connecting(async (observer) => {
      if (!this.isThere) {
        this.refused++
        throw this.refusal
      }
      this.#observer = observer
      this.connections++
      this.open++
      const actions = [{ pattern: `role:${name}`, service: name }]
      observer.hear({ wire: 1, name, instance, actions, subscriptions: [], draining: false })
      return { carry: async () => ({}), close: async () => this.#end() }
    })
  }

  /** It is gone, and cannot be reached until it is there again. */
  lose(): void {
    this.isThere = false
    this.#end()
  }

  #end(): void {
    this.open--
    this.#observer?.lost()
  }
}

/** Stops the clock, and makes chance certain, until the test ends. Gives what lets so many milliseconds pass. */
function clock(t: Test, chance: number): (ms: number) => Promise<void> {
  let now = performance.now()
  mock.timers.enable({ apis: ['setTimeout'] })
  const mocks = [mock.method(performance, 'now', () => now), mock.method(Math, 'random', () => chance)]
  t.teardown(() => {
    mock.timers.reset()
    for (const one of mocks) one.mock.restore()
  })
  return async (ms) => {
    now += ms
    mock.timers.tick(ms)
    await turn()
  }
}
