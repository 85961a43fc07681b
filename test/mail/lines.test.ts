import t, { type Test } from 'tap'
import { type App, type AppOptions, lucilius, sharedSecret } from '../../lib/index.js'
import type {
  ActEnvelope,
  Connection,
  DirectCall,
  Message,
  Observer,
  Outcome,
  Parcel,
  Transport,
} from '../../lib/transport-kit.js'
import { Desk } from '../../lib/transport-kit.js'
import { eventually, gate } from '../core/eventually.js'
import { failureOf } from '../core/failure.js'
import { PostOffice } from '../support/post-office.js'

function made(t: Test, name: string, options: AppOptions = {}): App {
  const app = lucilius({ name, drainMs: 200, ...options })
  t.teardown(() => app.close())
  return app
}

/** Two apps with a line between them; the caller's end of it. */
async function pair(t: Test, service: App, { office = new PostOffice(), limits = {} } = {}) {
  const { url } = await service.listen(office.transport(limits), { expose: '*', events: { in: '*', out: '*' } })
  const transport = office.transport(limits)
  const caller = made(t, 'caller')
  const connection = await caller.connect(transport.to(url))
  const line = () => transport.connections.at(-1) as Connection
  return { office, url, caller, connection, line, transport }
}

/** What becomes of an act that is carried over a line itself, not by an app that would try again. */
function carried(line: Connection, message: object): { readonly ended: Promise<Outcome>; readonly call: DirectCall } {
  const { opened, open } = gate<Outcome>()
  const call: DirectCall = { onCancel: undefined, settle: open, fail: (error) => open({ error: error as never }) }
  line.carryDirect?.(act(message), call)
  return { ended: opened, call }
}

function act(message: object): ActEnvelope {
  return { kind: 'act', message: message as Message, meta: { timeoutMs: 5000 } }
}

t.test('acts and events go both ways over one line, and a change is told', async (t) => {
  const service = made(t, 'service')
  service.add('a:1', () => 'one')
  const seen: unknown[] = []
  const { caller, url, office } = await pair(t, service)
  caller.on('e:1', (message) => void seen.push(message))
  t.equal(await caller.act('a:1'), 'one')
  service.add('a:2', () => 'two')
  await eventually(() => caller.find('a:2') !== undefined)
  t.equal(await caller.act('a:2'), 'two')
  await eventually(
    () => service.explain('e:1') !== undefined && office.letters.some((one) => one.parcel.kind === 'tell'),
  )
  await eventually(() => {
    void service.emit('e:1', { n: 1 })
    return seen.length > 0
  })
  const shared = office.transport()
  const both = made(t, 'both')
  both.add('back:1', () => 'back')
  await both.connect(shared.to(url), { expose: ['back:1'] })
  await eventually(() => service.find('back:1') !== undefined)
  t.equal(await service.act('back:1'), 'back', 'the side that connected answers')
})

t.test('a line is told what has changed, and nothing when somebody else comes', async (t) => {
  const office = new PostOffice()
  const service = made(t, 'service')
  const { url } = await service.listen(office.transport(), { expose: '*' })
  const bystander = made(t, 'bystander')
  await bystander.connect(office.transport().to(url))
  const other = made(t, 'other')
  other.add('x:1', () => 1)
  await other.connect(office.transport().to(url), { expose: '*' })
  service.add('a:1', () => 'one')
  await eventually(() => bystander.find('a:1') !== undefined && other.find('a:1') !== undefined)
  const told = office.letters.filter(({ from, parcel }) => from === url && parcel.kind === 'tell')
  t.equal(told.length, 2, 'each of the two, once')
})

t.test('what is sent at the very moment in which a peer becomes known is not lost', async (t) => {
  const office = new PostOffice()
  const base = { tell: () => ({}) as never, onTell: () => () => {}, lost: () => {} }
  const answered = gate<unknown>()
  const accept = (there: Connection | undefined): Observer => ({
    ...base,
    hear: () =>
      there?.carryDirect?.(act({ a: 1 }), { onCancel: undefined, settle: answered.open, fail: answered.open }),
    receive: async () => ({}),
  })
  const receiver = { audience: 'peers', draining: false, authenticate: async () => ({}), accept } as const
  const { url } = await office.transport().listen(receiver)
  const observer: Observer = { ...base, hear: () => {}, receive: async ({ message }) => ({ reply: message }) }
  const connection = await office.transport().to(url).connect(observer)
  t.same(await answered.opened, { reply: { a: 1 } })
  const kinds = office.letters.map(({ parcel }) => parcel.kind)
  t.same(kinds, ['open', 'act', 'opened', 'reply'])
  await connection.close()
})

t.test('a line is refused in the words of whoever refuses it', async (t) => {
  const office = new PostOffice()
  const service = made(t, 'service')
  const auth = sharedSecret('a-secret-of-at-least-16')
  const guarded = await service.listen(office.transport(), { expose: '*', auth })
  const caller = made(t, 'caller')
  const connect = (url: string, options = {}) => failureOf(caller.connect(office.transport().to(url), options))
  t.match(await connect(guarded.url), { code: 'LUC_UNAUTHENTICATED', handled: 'no' })
  const wrong = sharedSecret('another-one-of-at-least-16')
  t.match(await connect(guarded.url, { auth: wrong }), { code: 'LUC_UNAUTHENTICATED' })
  await caller.connect(office.transport().to(guarded.url), { auth })
  const clients = await service.listen(office.transport(), { expose: '*', audience: 'clients' })
  t.match(await connect(clients.url), { code: 'LUC_FORBIDDEN' })
  await eventually(() => office.boxes === 3, 1000)
})

t.test('an attempt ends when nobody answers, nobody is there, or nobody wants it any more', async (t) => {
  const office = new PostOffice()
  const attempt = (transport: Transport, observer: object = {}) => {
    const all = { tell: () => ({}), onTell: () => () => {}, hear: () => {}, lost: () => {}, ...observer }
    return { observer: all, failed: failureOf(transport.connect(all as never)) }
  }
  t.match(await attempt(office.transport().to('nobody')).failed, { code: 'LUC_UNREACHABLE', message: /nobody/i })
  office.open({ take: () => {}, undelivered: () => {}, lost: () => {} }, 'deaf')
  const limits = { handshakeTimeoutMs: 20 }
  t.match(await attempt(office.transport(limits).to('deaf')).failed, { code: 'LUC_UNREACHABLE', message: /20 ms/ })
  t.equal(office.letters.at(-1)?.parcel.kind, 'close', 'the other end hears that it came too late')
  const { observer, failed } = attempt(office.transport().to('deaf'))
  await eventually(() => office.letters.at(-1)?.parcel.kind === 'open')
  ;(observer as { onGiveUp?: () => void }).onGiveUp?.()
  t.match(await failed, { code: 'LUC_UNREACHABLE' })
  const broken = attempt(office.transport().to('deaf'))
  await eventually(() => office.letters.at(-1)?.parcel.kind === 'open')
  office.fail()
  t.match(await broken.failed, { code: 'LUC_UNREACHABLE' })
  await eventually(() => office.boxes === 1)
  t.pass('mailboxes without lines are closed')
})

t.test('acts that find nobody are unhandled, at once; what was delivered before is lost', async (t) => {
  const office = new PostOffice()
  const service = made(t, 'service')
  const started = gate()
  service.add('slow:1', () => {
    started.open()
    return new Promise(() => {})
  })
  const { line, url } = await pair(t, service, { office })
  const one = line()
  const before = carried(one, { slow: 1 })
  await started.opened
  const bury = office.kill(url)
  const behind = [carried(one, { slow: 1 }), carried(one, { slow: 1 }), carried(one, { slow: 1 })]
  for (const { ended } of behind) t.match((await ended).error, { code: 'LUC_UNREACHABLE', handled: 'no' })
  t.match((await before.ended).error, { code: 'LUC_REPLY_LOST', handled: 'unknown' })
  t.match((await carried(one, { slow: 1 }).ended).error, { code: 'LUC_UNREACHABLE' }, 'and the line is closed')
  bury()
})

t.test('a peer that was away for a moment gets a new line: nobody knows what else it missed', async (t) => {
  const service = made(t, 'service')
  service.add('a:1', () => 'one')
  const { office, line, caller } = await pair(t, service)
  office.bounce = ({ parcel }) => parcel.kind === 'act'
  t.match((await carried(line(), { a: 1 }).ended).error, { code: 'LUC_UNREACHABLE', handled: 'no' })
  office.bounce = () => false
  const opened = () => office.letters.filter(({ parcel }) => parcel.kind === 'opened').length
  await eventually(() => opened() === 2)
  t.equal(await caller.act('a:1'), 'one')
})

t.test('a dead peer is noticed while a call waits for it', async (t) => {
  const service = made(t, 'service')
  const started = gate()
  service.add('slow:1', () => {
    started.open()
    return new Promise(() => {})
  })
  const { office, line, url } = await pair(t, service)
  const { ended } = carried(line(), { slow: 1 })
  await started.opened
  const from = performance.now()
  const bury = office.kill(url)
  t.match((await ended).error, { code: 'LUC_REPLY_LOST', handled: 'unknown' })
  t.ok(performance.now() - from < 1000, 'within a second')
  bury()
})

t.test('a peer that is there but gives no sign of life is lost in the end', async (t) => {
  const service = made(t, 'service')
  service.add('slow:1', () => new Promise(() => {}))
  const { office, line } = await pair(t, service, { limits: { pingMs: 250 } })
  const { ended } = carried(line(), { slow: 1 })
  office.lose = ({ parcel }) => parcel.kind === 'pong'
  t.match((await ended).error, { code: 'LUC_REPLY_LOST' })
  t.ok(office.letters.filter(({ parcel }) => parcel.kind === 'ping').length >= 1)
  t.match(office.letters.at(-1)?.parcel, { kind: 'close' })
})

t.test('a lost broker ends all lines at once, and they come back', async (t) => {
  const service = made(t, 'service')
  const started = gate()
  let runs = 0
  service.add('slow:1', () => {
    runs++
    started.open()
    return runs === 1 ? new Promise(() => {}) : 'done'
  })
  const { office, caller } = await pair(t, service)
  const waiting = failureOf(caller.act('slow:1'))
  await started.opened
  office.fail()
  t.match(await waiting, { code: 'LUC_REPLY_LOST', handled: 'unknown' })
  t.equal(await caller.act('slow:1'), 'done', 'parked until the line is up again')
})

t.test('a peer that lost the line answers late acts: not handled, and the line is closed', async (t) => {
  const service = made(t, 'service')
  service.add('a:1', () => 'one')
  const { office, line, url } = await pair(t, service)
  const one = line()
  // Only this end loses the broker.
  office.fail(url)
  const { ended } = carried(one, { a: 1 })
  t.match((await ended).error, { code: 'LUC_UNREACHABLE', handled: 'no' })
})

t.test('acts beyond those that may be in flight wait, as they were when they were sent', async (t) => {
  const service = made(t, 'service')
  let most = 0
  let running = 0
  service.add('a:1', async ({ n }) => {
    most = Math.max(most, ++running)
    await new Promise((resolve) => setImmediate(resolve))
    running--
    return n
  })
  const { line } = await pair(t, service, { limits: { maxInFlight: 4 } })
  const one = line()
  const numbers = Array.from({ length: 50 }, (_, n) => n)
  const acts = numbers.map((n) => {
    const message = { a: 1, n, list: [n] }
    const { ended } = carried(one, message)
    message.n = -1
    return ended
  })
  const replies = (await Promise.all(acts)).map((outcome) => (outcome as { reply: unknown }).reply)
  t.same(replies.slice(4), numbers.slice(4))
  t.ok(most <= 4, `${most} ran at once`)
})

t.test('an act under an id that is in use ends the line: the answers could not be told apart', async (t) => {
  const service = made(t, 'service')
  const started = gate()
  service.add('slow:1', () => {
    started.open()
    return new Promise(() => {})
  })
  const { office, line, url } = await pair(t, service)
  carried(line(), { slow: 1 })
  await started.opened
  const first = office.letters.findLast(({ parcel }) => parcel.kind === 'act')
  const bury = office.kill(first?.from ?? '')
  const closed = gate<unknown>()
  const take = (_: string, parcel: Parcel) => parcel.kind === 'close' && closed.open(parcel)
  const inItsName = office.open({ take, undelivered: () => {}, lost: () => {} }, first?.from)
  inItsName.send(url, first?.parcel as Parcel)
  t.match(await closed.opened, { error: { code: 'LUC_WIRE_INVALID', message: /in use/ } })
  bury()
})

t.test('a held act can be cancelled, and a bound of what is held is kept', async (t) => {
  const service = made(t, 'service')
  service.add('a:1', () => new Promise(() => {}))
  const { line, connection } = await pair(t, service, { limits: { maxInFlight: 1, maxBuffered: 40 } })
  const one = line()
  const running = carried(one, { a: 1 })
  const held = carried(one, { a: 1, text: 'held' })
  t.match((await carried(one, { a: 1, text: 'x'.repeat(40) }).ended).error, { code: 'LUC_OVERLOADED', handled: 'no' })
  held.call.onCancel?.()
  t.match((await held.ended).error, { code: 'LUC_CANCELLED', handled: 'no' })
  running.call.onCancel?.()
  t.match((await running.ended).error, { code: 'LUC_CANCELLED', handled: 'unknown' })
  const last = carried(one, { a: 1 })
  const behind = carried(one, { a: 1 })
  await connection.close()
  t.match((await last.ended).error, { code: 'LUC_REPLY_LOST' })
  t.match((await behind.ended).error, { code: 'LUC_UNREACHABLE' })
})

t.test('a goodbye waits for what runs, and the other side moves on', async (t) => {
  const office = new PostOffice()
  const first = lucilius({ name: 'service', drainMs: 2000 })
  const started = gate()
  const finish = gate()
  first.add('a:1', async () => {
    started.open()
    await finish.opened
    return 'first'
  })
  const { caller, transport } = await pair(t, first, { office })
  const second = made(t, 'service')
  second.add('a:1', () => 'second')
  const { url } = await second.listen(office.transport(), { expose: '*' })
  const running = caller.act('a:1')
  await started.opened
  await caller.connect(transport.to(url))
  const closed = first.close()
  const answers = await Promise.all(Array.from({ length: 20 }, () => caller.act('a:1')))
  t.ok(answers.every((one) => one === 'second'))
  finish.open()
  t.equal(await running, 'first')
  await closed
})

t.test('what was sent before the goodbye was heard is answered', async (t) => {
  const service = made(t, 'service')
  service.add('a:1', () => 'one')
  const office = new PostOffice()
  const listener = await service.listen(office.transport(), { expose: '*' })
  const transport = office.transport()
  await made(t, 'caller').connect(transport.to(listener.url))
  const closed = listener.close()
  const { ended } = carried(transport.connections[0] as Connection, { a: 1 })
  t.same(await ended, { reply: 'one' })
  await closed
})

t.test('what changes while a line is being opened is told', async (t) => {
  const office = new PostOffice()
  const service = made(t, 'service')
  const { url } = await service.listen(office.transport(), { expose: [] })
  const caller = made(t, 'caller')
  caller.add('a:1', () => 'one')
  office.lose = ({ parcel }) => {
    if (parcel.kind === 'open') caller.add('a:2', () => 'two')
    return false
  }
  await caller.connect(office.transport().to(url), { expose: '*' })
  await eventually(() => service.find('a:2') !== undefined)
  t.equal(await service.act('a:2'), 'two')
})

t.test("a clients' desk takes as much as it may, and tells when all is answered", async (t) => {
  const finish = gate()
  const observer = { tell: () => ({ name: 'app' }), lost: () => {}, receive: () => finish.opened.then(() => ({})) }
  const receiver = { draining: false, anonymous: true, accept: () => observer }
  const desk = new Desk(receiver as never, { maxClientActs: 2 })
  t.equal(desk.name, 'app')
  const outcomes: Outcome[] = []
  for (let n = 0; n < 3; n++) desk.act(act({ n }), {}, (outcome) => void outcomes.push(outcome))
  t.match(outcomes, [{ error: { code: 'LUC_OVERLOADED', handled: 'no' } }])
  let isIdle = false
  const idle = desk.idle().then(() => {
    isIdle = true
  })
  await new Promise((resolve) => setImmediate(resolve))
  t.equal(isIdle, false)
  finish.open()
  await idle
  t.equal(outcomes.length, 3)
  await desk.idle()
  desk.close()
})

t.test('whoever cannot be answered, or not be taken, is turned away', async (t) => {
  const office = new PostOffice()
  const base = { onTell: () => () => {}, hear: () => {}, lost: () => {}, receive: async () => ({}) }
  const refused = async (accept: () => Observer) => {
    const receiver = { audience: 'peers', draining: false, authenticate: async () => ({}), accept } as const
    const { url } = await office.transport().listen(receiver)
    const observer: Observer = { ...base, tell: () => ({}) as never }
    return failureOf(office.transport({ handshakeTimeoutMs: 1000 }).to(url).connect(observer))
  }
  const closed = { code: 'LUC_UNREACHABLE', message: /closed the line/ }
  const unspeakable = { n: 1n } as never
  const itself = () => {
    throw new Error('This is the app itself.')
  }
  t.match(await refused(() => ({ ...base, tell: () => unspeakable })), closed)
  t.match(await refused(() => ({ ...base, tell: () => unspeakable, hear: itself })), closed)
  t.match(await refused(itself), closed)
})

t.test('a sign of life that a door cannot give any more is not waited for', async (t) => {
  const office = new PostOffice()
  const observer = { tell: () => ({}), onTell: () => () => {}, hear: () => {}, lost: () => {}, silent: true }
  const line = await office
    .transport()
    .to('nobody')
    .connect(observer as never)
  const asked = failureOf(line.ping?.() ?? Promise.resolve())
  t.match((await carried(line, { a: 1 }).ended).error, { code: 'LUC_UNREACHABLE' })
  t.match(await asked, { code: 'LUC_UNREACHABLE' })
  await line.close()
})

t.test('an app that finds itself does not talk to itself', async (t) => {
  const office = new PostOffice()
  const app = made(t, 'app')
  app.add('a:1', () => 1)
  const transport = office.transport()
  const { url } = await app.listen(transport, { expose: '*' })
  await app.connect(transport.to(url))
  t.equal(app.list().length, 1)
})

t.test('parcels of nobody, for nobody and from the wrong sender change nothing', async (t) => {
  const service = made(t, 'service')
  service.add('a:1', () => 'one')
  const { office, url, caller, line } = await pair(t, service)
  const open = office.letters.find(({ parcel }) => parcel.kind === 'open')
  const id = open?.parcel.line ?? ''
  const stranger = office.open({ take: () => {}, undelivered: () => {}, lost: () => {} }, 'stranger')
  for (const to of [url, open?.from ?? '']) {
    for (const name of [id, 'unknown']) {
      for (const kind of [
        'open',
        'opened',
        'tell',
        'act',
        'cancel',
        'reply',
        'event',
        'ping',
        'pong',
        'close',
      ] as const) {
        stranger.send(to, {
          kind,
          line: name,
          id: 0,
          announcement: { draining: true },
          outcome: {},
          envelope: {},
        } as never)
      }
    }
  }
  await new Promise((resolve) => setImmediate(resolve))
  t.equal(await caller.act('a:1'), 'one')
  t.same((await carried(line(), { a: 1 }).ended) as object, { reply: 'one' })
  const opened = office.letters.filter(({ from, parcel }) => from === url && parcel.kind === 'opened')
  t.equal(opened.length, 1, 'it is the same line')
})
