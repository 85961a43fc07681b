import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads'
import t, { type Test } from 'tap'
import { messagePort } from '../../examples/message-port/message-port.js'
import { type App, type ListenOptions, lucilius, sharedSecret } from '../../lib/index.js'
import { run } from '../docs/snippets.js'
import { repoRoot } from '../support/repo-root.js'

/** An attempt that nobody answers, made while a test ends, should not keep it. */
const soon = { connectTimeoutMs: 100 }

const folder = new URL('../../examples/message-port/', import.meta.url)

t.test('the example prints what it ends with, and complains of nothing', async (t) => {
  const source = readFileSync(join(repoRoot(), 'examples/message-port/main.ts'), 'utf8')
  const [, promised = ''] = source.split('\n// prints:\n')
  const { code, printed, complaints } = await run(fileURLToPath(new URL('main.js', folder)))
  t.strictSame({ code, complaints }, { code: 0, complaints: '' })
  t.equal(printed, promised.trimEnd().replaceAll(/^\/\/ ?/gm, ''))
})

t.test('a thread that is terminated loses what it had begun at once, and what comes later never left', async (t) => {
  const worker = new Worker(new URL('worker.js', folder))
  const app = made(t)
  await app.connect(messagePort(worker, soon))
  const running = app.act('role:primes,cmd:count,below:100000000', {}, { timeoutMs: 60_000 })
  await new Promise((resolve) => setImmediate(resolve))
  await Promise.all([t.rejects(running, { code: 'LUC_REPLY_LOST', handled: /^unknown$/ }), worker.terminate()])
  const late = app.act('role:primes,cmd:count,below:10', {}, { timeoutMs: 50 })
  await t.rejects(late, { code: 'LUC_UNREACHABLE', handled: /^no$/ })
})

t.test('a listener with a secret lets in who knows it, and tells the others why not', async (t) => {
  const auth = sharedSecret('the-secret-of-this-test')
  const { outer } = await serve(t, { auth })
  const friend = made(t)
  await friend.connect(messagePort(outer, soon), { auth })
  t.equal(await friend.act('a:1'), 1)
  const stranger = messagePort(outer, soon).connect(observer())
  await t.rejects(stranger, { code: 'LUC_UNAUTHENTICATED', handled: /^no$/ })
})

t.test('a listener for clients refuses apps, unless they are told what it answers', async (t) => {
  const { outer } = await serve(t, { audience: 'clients' })
  await t.rejects(messagePort(outer, soon).connect(observer()), { code: 'LUC_FORBIDDEN', message: /audience: 'peers'/ })
  const app = made(t)
  await app.connect(messagePort(outer, soon), { patterns: ['a:1'] })
  t.equal(await app.act('a:1'), 1)
})

t.test('a door behind which nobody listens is given up in time', async (t) => {
  const { port2 } = new MessageChannel()
  const connecting = messagePort(port2, { connectTimeoutMs: 20 }).connect(observer())
  await t.rejects(connecting, { code: 'LUC_UNREACHABLE', handled: /^no$/ })
})

t.test('more acts at the same time than are allowed are refused one by one', async (t) => {
  let release = (): void => {}
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  const { outer, app } = await serve(t, {}, 2)
  app.add('a:2', () => held)
  const caller = made(t)
  await caller.connect(messagePort(outer, soon))
  const running = [caller.act('a:2'), caller.act('a:2')]
  await t.rejects(caller.act('a:1'), { code: 'LUC_OVERLOADED', handled: /^no$/ })
  release()
  await Promise.all(running)
  t.equal(await caller.act('a:1'), 1)
})

t.test(
  'a listener that is closed by itself answers what it was sent before, and lets nobody in any more',
  async (t) => {
    const { outer, app, listener } = await serve(t)
    app.add('a:2', async () => {
      await new Promise((resolve) => setTimeout(resolve, 20))
      return 2
    })
    const caller = made(t)
    await caller.connect(messagePort(outer, soon))
    const sent = [caller.act('a:2'), caller.act('a:2')]
    const closed = listener.close()
    t.strictSame(await Promise.all(sent), [2, 2])
    await closed
    await t.rejects(messagePort(outer, { connectTimeoutMs: 20 }).connect(observer()), { code: 'LUC_UNREACHABLE' })
  },
)

t.test('what is no frame ends the line with a reason, and harms nobody else', async (t) => {
  const { outer } = await serve(t)
  const good = made(t)
  await good.connect(messagePort(outer, soon))
  const frames = [
    ...[undefined, 'text', [], {}, new Map(), { kind: 'order', id: 1, text: '' }, { kind: 'act', id: '1', text: '{}' }],
    ...[
      { kind: 'act', id: 1 },
      { kind: 'tell', id: 0, text: 'no JSON' },
      { kind: 'tell', id: 0, text: '{"wire":2}' },
    ],
  ]
  for (const frame of frames) {
    t.match((await knock(outer, [frame])).at(-1), {
      kind: 'refused',
      text: /"code":"LUC_WIRE_INVALID".*"handled":"no"/,
    })
    t.equal(await good.act('a:1'), 1)
  }
})

t.test('an act that cannot be read is answered with what is wrong, and the line goes on', async (t) => {
  const { outer } = await serve(t)
  const acts = [
    ['no JSON', /LUC_WIRE_INVALID/],
    ['{"kind":"act","message":{"\\u005f_proto__":1}}', /LUC_MESSAGE_INVALID/],
    ['{"kind":"act","message":[]}', /LUC_MESSAGE_INVALID/],
    [`{"kind":"act","message":{"a":"${'x'.repeat(1_100_000)}"}}`, /LUC_TOO_LARGE/],
    ['{"kind":"act","message":{"a":1},"to":1}', /LUC_WIRE_INVALID/],
    ['{"kind":"act","message":{"a":1}}', /^\{"reply":1\}$/],
  ] as const
  const frames = acts.map(([text], id) => ({ kind: 'act', id, text }))
  const heard = await knock(outer, [{ kind: 'event', id: 0, text: 'no JSON' }, ...frames], acts.length + 1)
  const answers = heard.filter(({ kind }) => kind === 'answer')
  t.equal(answers.length, acts.length)
  for (const { id, text } of answers) t.match(text, acts[id]?.[1])
})

t.test('an act that was answered with nonsense is lost: nobody knows whether it ran', async (t) => {
  const app = made(t)
  for (const nonsense of ['no frame', { kind: 'refused', id: 0, text: '{}' }, { kind: 'refused', id: 0, text: '' }]) {
    const { port1, port2 } = new MessageChannel()
    port1.once('message', ({ port }: { readonly port: MessagePort }) => {
      port.postMessage({ kind: 'tell', id: 0, text: JSON.stringify({ ...observer().tell(), instance: randomUUID() }) })
      port.on('message', ({ kind, id }: FrameSeen) => {
        if (kind === 'ping') port.postMessage({ kind: 'answer', id, text: '{}' })
        if (kind === 'act') port.postMessage(nonsense)
      })
    })
    const connection = await app.connect(messagePort(port2, { connectTimeoutMs: 2000 }))
    await t.rejects(app.act('b:1'), { code: 'LUC_REPLY_LOST', handled: /^unknown$/ })
    await connection.close()
    port2.close()
  }
})

t.test('what else goes through the door is left alone', async (t) => {
  const { outer } = await serve(t)
  for (const value of [1, null, {}, { port: 1 }]) outer.postMessage(value)
  const { port1, port2 } = new MessageChannel()
  outer.postMessage({ port: port2, authorization: 1 }, [port2])
  port1.close()
  const app = made(t)
  await app.connect(messagePort(outer, soon))
  t.equal(await app.act('a:1'), 1)
})

t.test('a wrong option is refused by its name', async (t) => {
  const { port1 } = new MessageChannel()
  for (const options of [{ maxInFlight: 0 }, { connectTimeoutMs: '5' }, { maxInflight: 1 }, null]) {
    t.throws(() => messagePort(port1, options as never), { code: 'LUC_OPTIONS_INVALID', message: /^messagePort: / })
  }
})

interface FrameSeen {
  readonly kind: string
  readonly id: number
  readonly text: string
}

/** An app that answers `a:1` behind a door, and the outer side of the door. */
async function serve(t: Test, options: Omit<ListenOptions, 'expose'> = {}, maxInFlight = 1024) {
  const { port1, port2 } = new MessageChannel()
  const app = made(t)
  app.add('a:1', () => 1)
  const listener = await app.listen(messagePort(port1, { maxInFlight }), { expose: '*', ...options })
  return { app, listener, outer: port2 }
}

/** Connects by hand, sends frames, and gives what comes until that is enough or the port is closed. */
function knock(
  outer: MessagePort,
  frames: readonly unknown[],
  enough = Number.POSITIVE_INFINITY,
): Promise<FrameSeen[]> {
  const { port1: port, port2 } = new MessageChannel()
  outer.postMessage({ port: port2, silent: false }, [port2])
  const heard: FrameSeen[] = []
  port.on('message', (frame: FrameSeen) => {
    if (heard.push(frame) >= enough) port.close()
  })
  for (const frame of frames) port.postMessage(frame)
  return new Promise((resolve) => port.once('close', () => resolve(heard)))
}

function made(t: Test): App {
  const app = lucilius({ parity: 'strict', drainMs: 200 })
  t.teardown(() => app.close())
  return app
}

/** As much of an app as one attempt to connect needs. */
function observer() {
  const actions = [{ pattern: 'b:1', service: 'x' }]
  return {
    tell: () => ({ wire: 1, name: 'x', instance: 'x', draining: false, actions, subscriptions: [] }),
    onTell: () => () => {},
    hear: () => {},
    receive: async () => ({}),
    lost: () => {},
  }
}
