import t, { type Test } from 'tap'
import { type HostOptions, hostApp, type Sending } from '../../lib/host.js'
import { ActionError, type App, type AppOptions, lucilius } from '../../lib/index.js'
import { inProcess } from '../../transports/in-process/index.js'
import { eventually, gate } from './eventually.js'
import { failureOf } from './failure.js'

for (const parity of ['strict', 'off'] as const) {
  const made = (t: Test, options: AppOptions = {}, host?: HostOptions) => {
    const one = hostApp({ parity, drainMs: 2000, ...options }, host)
    t.teardown(() => one.app.close())
    return one
  }

  t.test(`${parity}: load sets the plugins up and starts nothing, and ready goes on from there`, async (t) => {
    const { app, load } = made(t)
    const ran: string[] = []
    app.use(function shop(app: App) {
      ran.push('setup')
      app.add('cmd:order', () => 'ordered')
      app.onReady(() => ran.push('ready'))
      app.onClose(() => ran.push('close'))
    })
    await Promise.all([load(), load()])
    t.strictSame(ran, ['setup'])
    t.match(await failureOf(() => app.use(() => {})), { code: 'LUC_PLUGIN_INVALID' })
    await app.ready()
    t.equal(await app.act('cmd:order'), 'ordered')
    await app.close()
    t.strictSame(ran, ['setup', 'ready', 'close'])
  })

  t.test(`${parity}: an act starts an app that was loaded`, async (t) => {
    const { app, load } = made(t)
    app.use(function shop(app: App) {
      app.add('cmd:order', () => 'ordered')
    })
    await load()
    t.equal(await app.act('cmd:order'), 'ordered')
  })

  t.test(`${parity}: an app that was loaded and never readied closes what its set-ups left`, async (t) => {
    const { app, load } = made(t)
    const ran: string[] = []
    app.use(function shop(app: App) {
      app.onReady(() => ran.push('ready'))
      app.onClose(() => ran.push('close'))
    })
    await load()
    await app.close()
    t.strictSame(ran, ['close'])
    t.match(await failureOf(app.ready()), { code: 'LUC_SERVICE_CLOSED' })
    const closed = made(t)
    await closed.app.close()
    t.match(await failureOf(closed.load()), { code: 'LUC_SERVICE_CLOSED' })
  })

  t.test(`${parity}: a set-up that fails fails load and then ready, and closes what was set up`, async (t) => {
    const { app, load } = made(t)
    const ran: string[] = []
    app.use(function first(app: App) {
      app.onClose(() => ran.push('close'))
    })
    app.use(function bad() {
      throw new Error('broken')
    })
    t.match(await failureOf(load()), { code: 'LUC_PLUGIN_FAILED', message: /'bad'.*broken/ })
    t.strictSame(ran, ['close'])
    t.match(await failureOf(app.ready()), { code: 'LUC_PLUGIN_FAILED' })
    t.match(await failureOf(app.act('a:1')), { code: 'LUC_PLUGIN_FAILED' })
    await app.close()
    t.strictSame(ran, ['close'])
  })

  t.test(`${parity}: the inventory names what plugins registered, and nothing of peers`, async (t) => {
    const far = lucilius({ parity, name: 'far' })
    t.teardown(() => far.close())
    far.add('cmd:far', () => 1)
    const listener = await far.listen(inProcess(), { expose: '*' })
    const { app, inventory, load } = made(t)
    app.use(function shop(app: App) {
      app.add('cmd:order', () => 1)
      app.add('cmd:list,a:1', { idempotent: true }, () => 1)
      app.on('e:1', () => {})
      app.use({ name: 'till', setup: (app: App) => void app.on('e:1', { each: 'instance' }, () => {}) })
      app.wrap('cmd:*', (next) => next)
      app.wrap('cmd:order', { at: 'caller' }, (next) => next)
    })
    await load()
    await app.connect(inProcess({ url: listener.url }))
    t.ok(app.find('cmd:far'))
    t.strictSame(inventory(), {
      plugins: [
        { name: 'shop', within: undefined },
        { name: 'till', within: 'shop' },
      ],
      actions: [
        { pattern: 'cmd:order', service: 'shop', idempotent: false },
        { pattern: 'a:1,cmd:list', service: 'shop', idempotent: true },
      ],
      subscriptions: [
        { pattern: 'e:1', service: 'shop', each: false },
        { pattern: 'e:1', service: 'till', each: true },
      ],
      events: [],
      wraps: [
        { pattern: 'cmd:*', service: 'shop', at: 'handler' },
        { pattern: 'cmd:order', service: 'shop', at: 'caller' },
      ],
    })
  })

  t.test(`${parity}: running names the acts and events whose handlers run`, async (t) => {
    const { app, running } = made(t)
    const held = gate()
    app.use(function shop(app: App) {
      app.add('cmd:order', (_, { act }) => act('cmd:pay'))
      app.add('cmd:pay', () => held.opened)
      app.add('cmd:now', () => 1)
      app.on('e:1', () => held.opened)
    })
    await app.ready()
    const acts = [app.act('cmd:order'), app.act('cmd:pay')]
    await app.act('cmd:now')
    await app.emit('e:1')
    await eventually(() => running().length === 4)
    t.strictSame([...running()].sort(), ['cmd:order', 'cmd:pay', 'cmd:pay', 'e:1'])
    held.open()
    await Promise.all(acts)
    await eventually(() => running().length === 0)
  })

  t.test(`${parity}: what hangs is named after a close that had to give it up`, async (t) => {
    const { app, running } = made(t, { drainMs: 30 })
    const held = gate()
    app.use(function shop(app: App) {
      app.add('cmd:hang', () => held.opened)
      app.add('cmd:kind', (_, { signal }) => new Promise((_, reject) => signal.addEventListener('abort', reject)))
      app.add('cmd:outer', (_, { act }) => act('cmd:inner'))
      app.add('cmd:inner', () => held.opened)
      app.on('e:hang', () => held.opened)
      app.wrap('cmd:wrapped', () => () => held.opened)
      app.add('cmd:wrapped', () => 1)
    })
    await app.ready()
    const acts = ['cmd:hang', 'cmd:kind', 'cmd:outer', 'cmd:wrapped'].map((text) => failureOf(app.act(text)))
    await app.emit('e:hang')
    await app.close()
    for (const error of await Promise.all(acts)) t.match(error, { code: 'LUC_CANCELLED' })
    t.strictSame([...running()].sort(), ['cmd:hang', 'cmd:inner', 'cmd:wrapped', 'e:hang'])
    held.open()
    await eventually(() => running().length === 0)
  })

  t.test(`${parity}: a handler that outlives its deadline still runs`, async (t) => {
    const { app, running } = made(t)
    const held = gate()
    app.add('cmd:slow', { timeoutMs: 10 }, () => held.opened)
    await app.ready()
    t.match(await failureOf(app.act('cmd:slow')), { code: 'LUC_DEADLINE_EXCEEDED' })
    t.strictSame(running(), ['cmd:slow'])
    held.open()
    await eventually(() => running().length === 0)
  })

  t.test(`${parity}: a reply that works when it is asked is asked once`, async (t) => {
    const { app } = made(t)
    let asked = 0
    // biome-ignore lint/suspicious/noThenProperty: query builders are such things
    app.add('cmd:query', () => ({ then: (resolve: (value: unknown) => void) => resolve(++asked) }))
    t.equal(await app.act('cmd:query'), 1)
    t.equal(asked, 1)
  })

  t.test(`${parity}: whoever runs the app hears what services send, and by which service`, async (t) => {
    const sent: string[] = []
    const onSend = ({ service, kind, pattern, message }: Sending) =>
      void sent.push(`${service} ${kind} ${JSON.stringify(pattern)} ${JSON.stringify(message)}`)
    const { app } = made(t, {}, { onSend })
    app.use(function shop(app: App) {
      app.add('cmd:order', async (_, { act, emit, prior }) => {
        await emit('e:1', { a: 1 })
        await prior()
        return act('cmd:pay', { sum: 2 })
      })
      app.add('cmd:*', () => undefined)
      app.onReady(() => app.act({ cmd: 'pay' }))
    })
    app.use(function till(app: App) {
      app.add('cmd:pay', () => 'paid')
      app.on('e:1', (_, context) => context.act('cmd:pay,by:event'))
    })
    app.use(function guard(app: App) {
      app.wrap('cmd:order', (next) => async (message, context) => {
        await context.act('cmd:pay,by:wrap')
        return next(message, Object.assign(Object.create(context), { user: 'ada' }))
      })
      app.use(function inner(app: App) {
        app.onReady(() => app.emit('e:2'))
      })
    })
    await app.ready()
    t.strictSame(sent.splice(0), ['shop act {"cmd":"pay"} {"cmd":"pay"}', 'inner emit "e:2" {"e":2}'])
    t.equal(await app.act('cmd:order'), 'paid')
    await eventually(() => sent.length === 4)
    t.strictSame(sent.sort(), [
      'guard act "cmd:pay,by:wrap" {"cmd":"pay","by":"wrap"}',
      'shop act "cmd:pay" {"sum":2,"cmd":"pay"}',
      'shop emit "e:1" {"a":1,"e":1}',
      'till act "cmd:pay,by:event" {"cmd":"pay","by":"event"}',
    ])
    t.match(await failureOf(app.act('cmd:?:x')), { code: /^LUC_/ }, 'what is no message is refused as ever')
  })

  t.test(`${parity}: a context that is heard is what contexts are`, async (t) => {
    const { app } = made(t, {}, { onSend: () => {} })
    app.add('cmd:a', () => 1)
    app.use(function shop(app: App) {
      app.wrap('cmd:look', (next) => (message, context) => next(message, { ...context, log: context.log }))
      app.add('cmd:see', (_, { meta, pattern, service, signal, act }) => [
        meta.hops,
        pattern,
        service,
        signal.aborted,
        typeof act,
      ])
      app.add('cmd:look', () => 'looked')
    })
    t.strictSame(await app.act('cmd:see'), [1, 'cmd:see', 'shop', false, 'function'])
    t.equal(await app.act('cmd:look'), 'looked')
  })

  /** Lets everything happen that needs no time. */
  const turns = async () => {
    for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve))
  }

  const answering = (reply: unknown, ran: string[] = []) =>
    function plugin(app: App) {
      ran.push(`setup ${reply}`)
      app.add('cmd:rate', () => reply)
      app.onReady(() => ran.push(`ready ${reply}`))
      app.onClose(() => ran.push(`close ${reply}`))
    }

  t.test(`${parity}: a plugin is replaced under its name, the old one closed before the new one starts`, async (t) => {
    const ran: string[] = []
    const { app, replace, inventory } = made(t)
    app.use(answering(1, ran), undefined, { as: 'rates' })
    await app.ready()
    t.equal(await app.act('cmd:rate'), 1)
    await replace('rates', answering(2, ran))
    t.equal(await app.act('cmd:rate'), 2)
    t.strictSame(inventory().actions, [{ pattern: 'cmd:rate', service: 'rates', idempotent: false }])
    await replace(
      'rates',
      { name: 'other', setup: (app: App, options: number) => void app.add('cmd:rate', () => options) },
      3,
    )
    t.equal(await app.act('cmd:rate'), 3)
    t.strictSame(ran, ['setup 1', 'ready 1', 'setup 2', 'close 1', 'ready 2', 'close 2'])
    await app.close()
    t.equal(ran.length, 6, 'no hook runs twice')
  })

  t.test(`${parity}: all that a plugin and those within it registered goes, and nothing else`, async (t) => {
    const { app, replace, inventory } = made(t)
    const seen: string[] = []
    app.use({
      name: 'shop',
      setup: (app: App) => {
        app.add('cmd:order', () => 1)
        app.use({ name: 'inner', setup: (app: App) => void app.add('cmd:inner', () => 1) })
        app.on('e:1', () => seen.push('old'))
        app.wrap('cmd:other', (next) => async (m, c) => `old ${await next(m, c)}`)
      },
    })
    app.use({ name: 'other', setup: (app: App) => void app.add('cmd:other', () => 'other') })
    await app.ready()
    t.equal(await app.act('cmd:other'), 'old other')
    await replace('shop', (app: App) => {
      app.on('e:1', () => seen.push('new'))
      app.use({ name: 'inner', setup: (app: App) => void app.add('cmd:inner', () => 2) })
      app.wrap('cmd:other', (next) => async (m, c) => `new ${await next(m, c)}`)
    })
    t.equal(await app.act('cmd:other'), 'new other')
    t.equal(await app.act('cmd:inner'), 2)
    t.match(await failureOf(app.act('cmd:order')), { code: 'LUC_ACTION_NOT_FOUND' })
    await app.emit('e:1')
    await eventually(() => seen.length > 0)
    t.strictSame(seen, ['new'])
    t.strictSame(
      inventory()
        .actions.map(({ pattern }) => pattern)
        .sort(),
      ['cmd:inner', 'cmd:other'],
    )
    t.strictSame(
      inventory().plugins.map(({ name }) => name),
      ['shop', 'inner', 'other'],
    )
    t.match(await failureOf(replace('inner', () => {})), { code: 'LUC_PLUGIN_INVALID', message: /'inner'.*'shop'/ })
    t.match(await failureOf(replace('shup', () => {})), { code: 'LUC_PLUGIN_INVALID', message: /'shup'.*'shop'/ })
  })

  t.test(`${parity}: what is replaced keeps its place among equal patterns, wraps and hooks`, async (t) => {
    const { app, replace } = made(t)
    const ran: string[] = []
    const plugin = (name: string) => (app: App) => {
      app.add('cmd:who', async (_, { prior }) => `${name} ${(await prior()) ?? ''}`.trim())
      app.wrap('cmd:wrapped', (next) => async (m, c) => `${name} ${await next(m, c)}`)
      app.on('e:1', () => ran.push(`event ${name}`))
      app.onClose(() => ran.push(`close ${name}`))
    }
    for (const name of ['a', 'b', 'c']) app.use(plugin(name), undefined, { as: name })
    app.use(function wrapped(app: App) {
      app.add('cmd:wrapped', () => 'x')
    })
    await app.ready()
    t.equal(await app.act('cmd:who'), 'c b a')
    await replace('b', plugin('B'))
    t.equal(await app.act('cmd:who'), 'c B a')
    t.equal(await app.act('cmd:wrapped'), 'a B c x')
    await replace('b', plugin('b2'))
    await replace('a', plugin('A'))
    await replace('c', plugin('C'))
    t.equal(await app.act('cmd:who'), 'C b2 A')
    t.equal(await app.act('cmd:wrapped'), 'A b2 C x')
    ran.length = 0
    await app.emit('e:1')
    await eventually(() => ran.length === 3)
    await app.close()
    t.strictSame(ran, ['event A', 'event b2', 'event C', 'close C', 'close b2', 'close A'])
  })

  t.test(
    `${parity}: acts under way finish in the old plugin, those that come meanwhile wait for the new one`,
    async (t) => {
      const { app, replace } = made(t)
      const held = gate()
      const starting = gate()
      const ran: string[] = []
      app.use(
        (app: App) => {
          app.add('cmd:a', async (_, { act }) => {
            ran.push('old begins')
            await held.opened
            return `old ${await act('cmd:b')}`
          })
          app.add('cmd:b', () => 'old b')
          app.onClose(() => ran.push('old closes'))
        },
        undefined,
        { as: 'p' },
      )
      app.use(function other(app: App) {
        app.add('cmd:other', (_, { act }) => act('cmd:b'))
        app.add('cmd:*', () => 'wider')
      })
      await app.ready()
      const before = app.act('cmd:a')
      let isSetUp = false
      const done = replace('p', (app: App) => {
        isSetUp = true
        app.add('cmd:a', () => 'new a')
        app.add('cmd:b', { timeoutMs: 1000 }, () => {
          ran.push('new b')
          return 'new b'
        })
        app.onReady(async () => {
          ran.push('new starts')
          ran.push(`hook: ${await app.act('cmd:b')}`)
          await starting.opened
        })
      })
      await eventually(() => isSetUp)
      await turns()
      let settled = 0
      const later = ['cmd:a', 'cmd:b', 'cmd:other', 'cmd:b,more:specific'].map((text) =>
        app.act(text).finally(() => settled++),
      )
      const meanwhile = app.act('cmd:b')
      await turns()
      t.equal(settled, 0)
      t.equal(await app.act('cmd:third'), 'wider', 'others are not disturbed')
      t.equal(app.find('cmd:b')?.service, 'p')
      t.strictSame(ran, ['old begins'])
      held.open()
      t.equal(await before, 'old old b')
      await eventually(() => ran.includes('hook: new b'))
      t.strictSame(ran, ['old begins', 'old closes', 'new starts', 'new b', 'hook: new b'])
      starting.open()
      await done
      t.equal(await meanwhile, 'new b')
      await Promise.all(later)
      t.equal(settled, 4)
    },
  )

  t.test(
    `${parity}: an act that waits for a replacement ends at its deadline and when it is cancelled, not handled`,
    async (t) => {
      const { app, replace } = made(t)
      const held = gate()
      app.use(answering(1), undefined, { as: 'rates' })
      await app.ready()
      let ready = false
      const done = replace('rates', (app: App) => {
        app.add('cmd:rate', () => 2)
        app.add('cmd:error', () => {
          throw new ActionError('NO', 'no')
        })
        app.onReady(() => {
          ready = true
          return held.opened
        })
      })
      await eventually(() => ready)
      t.match(await failureOf(app.act('cmd:rate', {}, { timeoutMs: 30 })), { code: 'LUC_UNREACHABLE', handled: /^no$/ })
      const controller = new AbortController()
      const cancelled = failureOf(app.act('cmd:rate', {}, { signal: controller.signal }))
      controller.abort()
      t.match(await cancelled, { code: 'LUC_CANCELLED', handled: /^no$/ })
      const failing = failureOf(app.act('cmd:error'))
      held.open()
      await done
      t.match(await failing, { code: 'NO' }, 'errors pass as they are')
    },
  )

  t.test(`${parity}: events that come meanwhile are kept for the new plugin, in order`, async (t) => {
    const { app, replace } = made(t, { park: { max: 3 } })
    const held = gate()
    const seen: string[] = []
    app.use((app: App) => app.on('e:1', ({ n }) => void seen.push(`old ${n}`)), undefined, { as: 'p' })
    app.use(function other(app: App) {
      app.on('e:1', ({ n }) => void seen.push(`other ${n}`))
    })
    await app.ready()
    await app.emit('e:1', { n: 0 })
    let ready = false
    const done = replace('p', (app: App) => {
      app.on('e:1', ({ n }) => void seen.push(`new ${n}`))
      app.onReady(() => {
        ready = true
        return held.opened
      })
    })
    await eventually(() => ready)
    for (const n of [1, 2, 3, 4]) await app.emit('e:1', { n })
    held.open()
    await done
    await app.emit('e:1', { n: 5 })
    await eventually(() => seen.includes('new 5'))
    t.strictSame(
      seen.filter((text) => !text.startsWith('other')),
      ['old 0', 'new 1', 'new 2', 'new 3', 'new 5'],
    )
    t.strictSame(seen.filter((text) => text.startsWith('other')).length, 6)
  })

  t.test(`${parity}: a set-up that fails leaves the old plugin as it was`, async (t) => {
    const ran: string[] = []
    const { app, replace } = made(t)
    app.use(answering(1, ran), undefined, { as: 'rates' })
    await app.ready()
    const error = await failureOf(
      replace('rates', (app: App) => {
        app.add('cmd:rate', () => 2)
        app.use({ name: 'within', setup: () => {} })
        app.onClose(() => ran.push('close 2'))
        throw new Error('broken')
      }),
    )
    t.match(error, { code: 'LUC_PLUGIN_FAILED', message: /'rates'.*broken/ })
    t.equal(await app.act('cmd:rate'), 1)
    t.strictSame(ran, ['setup 1', 'ready 1', 'close 2'])
    t.match(await failureOf(replace('rates', 42)), { code: 'LUC_PLUGIN_INVALID' })
    t.match(await failureOf(replace('rates', { name: 'x', needs: ['nothing'], setup() {} })), {
      code: 'LUC_PLUGIN_INVALID',
    })
    await replace('rates', answering(3))
    t.equal(await app.act('cmd:rate'), 3)
  })

  t.test(`${parity}: a start that fails leaves the place empty, and it may be filled again`, async (t) => {
    const ran: string[] = []
    const { app, replace, inventory } = made(t)
    app.use(answering(1, ran), undefined, { as: 'rates' })
    await app.ready()
    const held = gate()
    const done = failureOf(
      replace('rates', (app: App) => {
        app.add('cmd:rate', () => 2)
        app.on('e:1', () => {})
        app.wrap('cmd:x', (next) => next)
        app.onClose(() => ran.push('close 2'))
        app.onReady(async () => {
          await held.opened
          throw new Error('broken')
        })
      }),
    )
    await eventually(() => ran.includes('close 1'))
    const waiting = failureOf(app.act('cmd:rate'))
    held.open()
    t.match(await done, { code: 'LUC_PLUGIN_FAILED', message: /'rates'.*onReady.*broken/ })
    t.match(await waiting, { code: 'LUC_ACTION_NOT_FOUND', handled: /^no$/ })
    t.match(inventory(), { plugins: [{ name: 'rates' }], actions: [], subscriptions: [], wraps: [] })
    t.equal(inventory().actions.length + inventory().subscriptions.length + inventory().wraps.length, 0)
    t.strictSame(ran, ['setup 1', 'ready 1', 'close 1', 'close 2'])
    app.add('cmd:y', () => 'y')
    t.match(await failureOf(replace('rates', (app: App) => app.wrap('cmd:y', () => undefined as never))), {
      code: 'LUC_PLUGIN_FAILED',
    })
    t.equal(await app.act('cmd:y'), 'y')
    await replace('rates', answering(3))
    t.equal(await app.act('cmd:rate'), 3)
  })
}

/** Two apps, `near` acting on what `far` answers. */
async function joined(t: Test) {
  const far = hostApp({ name: 'far', drainMs: 2000 })
  const near = lucilius({ name: 'near' })
  t.teardown(() => Promise.all([near.close(), far.app.close()]))
  return { far, near }
}

t.test('an act from a peer or a client that comes while a plugin is replaced is answered by the new one', async (t) => {
  const { far, near } = await joined(t)
  const held = gate()
  let isStarting = false
  far.app.use(rates('old'), undefined, { as: 'rates' })
  far.app.use(function secret(app: App) {
    app.add('cmd:*', () => 'secret')
  })
  const peers = await far.app.listen(inProcess(), { expose: ['cmd:rate', 'cmd:gone'] })
  const clients = inProcess()
  await far.app.listen(clients, { expose: ['cmd:rate', 'cmd:gone'], audience: 'clients' })
  await near.connect(inProcess({ url: peers.url }))
  t.equal(await near.act('cmd:rate'), 'old')
  const done = far.replace('rates', (app: App) => {
    app.add('cmd:rate', (_, { meta }) => ['new', meta.peer?.name])
    app.onReady(() => {
      isStarting = true
      return held.opened
    })
  })
  await eventually(() => isStarting)
  t.equal(near.find('cmd:rate')?.remote, 'far', 'peers were told nothing but that it is there')
  const acts = [near.act('cmd:rate'), near.act('cmd:rate', {}, { identity: 'ada' })]
  const gone = failureOf(near.act('cmd:gone', {}, { timeoutMs: 500 }))
  held.open()
  await done
  t.strictSame(await Promise.all(acts), [
    ['new', 'near'],
    ['new', 'near'],
  ])
  t.match(await gone, { code: 'LUC_ACTION_NOT_FOUND', handled: /^no$/ }, 'and never by what is not exposed')
  await eventually(() => near.find('cmd:gone') === undefined)
})

t.test('what waits for a plugin never comes out at an action that is not exposed', async (t) => {
  const { far, near } = await joined(t)
  const held = gate()
  const ran: string[] = []
  far.app.use(
    (app: App) => {
      app.add('cmd:gone', () => 'old')
      app.on('e:1', async () => {
        ran.push('begun')
        await held.opened
        ran.push('ended')
      })
      app.onClose(() => ran.push('closed'))
    },
    undefined,
    { as: 'rates' },
  )
  far.app.use(function secret(app: App) {
    app.add('cmd:*', () => 'secret')
  })
  const listener = await far.app.listen(inProcess(), { expose: ['cmd:gone'] })
  await near.connect(inProcess({ url: listener.url }))
  await far.app.emit('e:1')
  await eventually(() => ran.length === 1)
  let isSetUp = false
  const done = far.replace('rates', () => {
    isSetUp = true
  })
  await eventually(() => isSetUp)
  for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve))
  const gone = failureOf(near.act('cmd:gone', {}, { timeoutMs: 500 }))
  for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve))
  held.open()
  await done
  t.match(await gone, { code: /^LUC_(ACTION_NOT_FOUND|UNREACHABLE)$/, handled: /^no$/ })
  t.strictSame(ran, ['begun', 'ended', 'closed'], 'subscribers are waited for as well')
})

t.test('a service keeps its peers while it is replaced a hundred times under load', async (t) => {
  const { far, near } = await joined(t)
  far.app.use(rates('0'), undefined, { as: 'rates' })
  far.app.use(function shop(app: App) {
    app.add('cmd:order', (_, { act }) => act('cmd:rate'))
  })
  const listener = await far.app.listen(inProcess(), { expose: '*' })
  await near.connect(inProcess({ url: listener.url }))
  let over = false
  let answered = 0
  const load = async (app: App, text: string) => {
    for (; !over; answered++) {
      await app.act(text)
      // Acts within a process need no time: without this nothing else would have any.
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
  const loads = [load(near, 'cmd:rate'), load(near, 'cmd:order'), load(far.app, 'cmd:rate'), load(far.app, 'cmd:order')]
  for (let round = 1; round <= 100; round++) {
    await far.replace('rates', rates(String(round)))
    t.equal(await near.act('cmd:rate'), String(round))
  }
  over = true
  await Promise.all(loads)
  t.ok(answered > 100)
})

t.test('what a plugin opened is closed when it is replaced', async (t) => {
  const { far, near } = await joined(t)
  const door = inProcess()
  const opening = (app: App) => {
    app.add('cmd:rate', () => 1)
    app.onReady(() => app.listen(door, { expose: '*' }))
  }
  far.app.use(opening, undefined, { as: 'rates' })
  await far.app.ready()
  await far.replace('rates', opening)
  await near.connect(door)
  t.equal(await near.act('cmd:rate'), 1)
})

t.test('what has been replaced registers and sends nothing more', async (t) => {
  const { far } = await joined(t)
  let old: App | undefined
  far.app.use(
    (app: App) => {
      old = app
    },
    undefined,
    { as: 'rates' },
  )
  await far.app.ready()
  await far.replace('rates', rates('new'))
  const app = old as App
  t.match(await failureOf(app.act('cmd:rate')), { code: 'LUC_SERVICE_CLOSED', handled: /^no$/ })
  t.match(await failureOf(app.emit('e:1')), { code: 'LUC_SERVICE_CLOSED' })
  for (const late of [
    () => app.add('a:1', () => 1),
    () => app.on('a:1', () => 1),
    () => app.wrap('a:1', (next) => next),
  ]) {
    t.match(await failureOf(late), { code: 'LUC_PLUGIN_INVALID' })
  }
  t.match(await failureOf(() => app.onClose(() => {})), { code: 'LUC_PLUGIN_INVALID' })
})

t.test('a wrap is replaced between acts: none runs through half of it', async (t) => {
  const { far } = await joined(t)
  const held = gate()
  let isClosed = false
  far.app.use(
    (app: App) => {
      app.wrap('cmd:*', (next) => async (message, context) => {
        const reply = await next(message, context)
        return isClosed ? 'after the end' : `old ${reply}`
      })
      app.onClose(() => {
        isClosed = true
      })
    },
    undefined,
    { as: 'policy' },
  )
  far.app.use(function shop(app: App) {
    app.add('cmd:order', async (_, { act }) => {
      await held.opened
      return act('cmd:pay')
    })
    app.add('cmd:pay', () => 'paid')
  })
  await far.app.ready()
  const before = far.app.act('cmd:order')
  let isReady = false
  let isSetUp = false
  const done = far.replace('policy', (app: App) => {
    isSetUp = true
    app.wrap(
      'cmd:*',
      (next) => async (message, context) => `${isReady ? 'new' : 'too early'} ${await next(message, context)}`,
    )
    app.onReady(() => {
      isReady = true
    })
  })
  await eventually(() => isSetUp)
  await new Promise((resolve) => setImmediate(resolve))
  const meanwhile = far.app.act('cmd:pay')
  held.open()
  t.equal(await before, 'old old paid')
  await done
  t.equal(await meanwhile, 'new paid')
})

t.test('replacements come one after the other, and close waits for the one under way', async (t) => {
  const { far } = await joined(t)
  const ran: string[] = []
  const plugin = (name: string) => (app: App) => {
    app.add('cmd:rate', () => name)
    app.onReady(() => ran.push(`ready ${name}`))
    app.onClose(() => ran.push(`close ${name}`))
  }
  far.app.use(plugin('a'), undefined, { as: 'rates' })
  await far.app.ready()
  await Promise.all([far.replace('rates', plugin('b')), far.replace('rates', plugin('c'))])
  const held = gate()
  const under = far.replace('rates', (app: App) => {
    plugin('d')(app)
    app.onReady(() => held.opened)
  })
  const refused = failureOf(far.replace('rates', plugin('e')))
  await eventually(() => ran.includes('ready d'))
  const waiting = far.app.act('cmd:rate')
  const closed = far.app.close()
  held.open()
  await under
  t.equal(await waiting, 'd')
  t.match(await refused, { code: 'LUC_SERVICE_CLOSED' })
  await closed
  t.strictSame(ran, ['ready a', 'close a', 'ready b', 'close b', 'ready c', 'close c', 'ready d', 'close d'])
  t.match(await failureOf(far.replace('rates', plugin('f'))), { code: 'LUC_SERVICE_CLOSED' })
})

t.test('a handler that does not end in time does not stop the replacement', async (t) => {
  const far = hostApp({ drainMs: 30 })
  t.teardown(() => far.app.close())
  const held = gate()
  far.app.use((app: App) => void app.add('cmd:rate', () => held.opened), undefined, { as: 'rates' })
  await far.app.ready()
  const before = far.app.act('cmd:rate')
  await far.replace('rates', rates('new'))
  t.equal(await far.app.act('cmd:rate'), 'new')
  held.open()
  await before
})

function rates(reply: string) {
  return (app: App) => {
    app.add('cmd:rate', () => reply)
    if (reply === 'old') app.add('cmd:gone', () => reply)
  }
}
