import { mock } from 'node:test'
import t from 'tap'
import { type App, lucilius } from '../../lib/index.js'
import { gate } from './eventually.js'
import { failureOf } from './failure.js'

t.test('plugins are set up in order, those used within one before the next', async (t) => {
  const app = lucilius()
  const ran: string[] = []
  app.use(async function first(app) {
    ran.push('first in')
    app.use(function inner() {
      ran.push('inner')
    })
    await null
    ran.push('first out')
  })
  app.use({ name: 'second', needs: ['first'], setup: () => void ran.push('second') })
  app.use((_, options: { x: number }) => void ran.push(`third ${options.x}`), { x: 5 })
  t.strictSame(ran, [], 'nothing runs before the app gets ready')
  await app.ready()
  t.strictSame(ran, ['first in', 'first out', 'inner', 'second', 'third 5'])
  await app.close()
})

t.test('use can be chained, and what a plugin adds belongs to it', async (t) => {
  const app = lucilius({ name: 'shop' })
  app
    .use(function orders(app: App) {
      app.add('cmd:order', () => 1)
      app.on('e:1', () => {})
    })
    .use({ name: 'rates', setup: (app) => app.add('cmd:rate', () => 2) })
  app.add('cmd:own', () => 3)
  await app.ready()
  t.strictSame(Object.fromEntries(app.list().map(({ pattern, service }) => [pattern, service])), {
    'cmd:order': 'orders',
    'cmd:own': 'shop',
    'cmd:rate': 'rates',
  })
  await app.close()
})

t.test('a name is taken once, and as gives another', async (t) => {
  const app = lucilius()
  const counter = { name: 'counter', setup: (app: App, start: number) => app.add(`count:${start}`, () => start) }
  app.use(counter, 1)
  t.match(await failureOf(() => app.use(counter, 2)), { code: 'LUC_PLUGIN_INVALID', message: /'counter'.*as/ })
  app.use(counter, 2, { as: 'counter-2' })
  t.match(await failureOf(() => app.use(counter, 3, { as: 'counter-2' })), { code: 'LUC_PLUGIN_INVALID' })
  await app.ready()
  t.strictSame(
    app.list().map(({ service }) => service),
    ['counter', 'counter-2'],
  )
  await app.close()
})

t.test('functions without a name are plugins of their own', async (t) => {
  const app = lucilius()
  app.use(() => {})
  app.use(() => {})
  app.use((app) => void app.add('a:1', () => 1))
  await app.ready()
  t.ok(app.find('a:1')?.service)
  await app.close()
})

t.test('a need that is not met is named, with what to do', async (t) => {
  const app = lucilius()
  const cache = { name: 'cache', needs: ['store'], setup() {} }
  const error = await failureOf(() => app.use(cache))
  t.match(error, { code: 'LUC_PLUGIN_INVALID', handled: /^no$/ })
  t.match(error.message, /'cache' needs 'store'.*app\.use/)
  app.use({ name: 'store', setup() {} })
  app.use(cache)
  await app.ready()
  await app.close()
})

t.test('a mistake of a nested use fails the set-up that makes it', async (t) => {
  const app = lucilius()
  app.use(function outer(app) {
    app.use({ name: 'inner', needs: ['nothing'], setup() {} })
  })
  t.match(await failureOf(app.ready()), { code: /^LUC_PLUGIN_(INVALID|FAILED)$/, message: /'nothing'/ })
  await app.close()
})

t.test('a set-up that throws fails ready, the first act and listen, with the name of the plugin', async (t) => {
  for (const [how, thrown] of [
    ['throws', new Error('broken')],
    ['rejects', new Error('broken')],
    ['throws undefined', undefined],
    ['throws a text', 'broken'],
  ] as const) {
    const app = lucilius()
    app.use(function bad() {
      if (how === 'rejects') return Promise.reject(thrown)
      throw thrown
    })
    app.add('a:1', () => 1)
    t.match(await failureOf(app.act('a:1')), { code: 'LUC_PLUGIN_FAILED', message: /'bad'/, handled: /^no$/ }, how)
    const error = await failureOf(app.ready())
    t.match(error, { code: 'LUC_PLUGIN_FAILED', message: /'bad'/ })
    if (thrown !== undefined) t.match(error.message, /broken/)
    if (thrown instanceof Error) t.equal(error.cause, thrown)
    t.match(await failureOf(app.act('a:1')), { code: 'LUC_PLUGIN_FAILED' }, 'and goes on failing')
    const transport = { name: 'x', listen: () => t.fail('never'), connect: () => t.fail('never') }
    t.match(await failureOf(app.listen(transport as never, { expose: '*' })), { code: 'LUC_PLUGIN_FAILED' })
    await app.close()
  }
})

t.test('a failing set-up closes what had been set up, in reverse, and nothing after it runs', async (t) => {
  const app = lucilius()
  const ran: string[] = []
  for (const name of ['first', 'second']) {
    app.use({
      name,
      setup: (app) => {
        app.onReady(() => ran.push(`ready ${name}`))
        app.onClose(() => ran.push(`close ${name}`))
      },
    })
  }
  app.use({
    name: 'bad',
    setup: () => {
      throw new Error('broken')
    },
  })
  app.use({ name: 'after', setup: () => ran.push('after') })
  t.match(await failureOf(app.ready()), { code: 'LUC_PLUGIN_FAILED', message: /'bad'/ })
  t.strictSame(ran, ['close second', 'close first'])
  await app.close()
  t.strictSame(ran, ['close second', 'close first'], 'once')
})

t.test('a failing onReady hook closes what had started', async (t) => {
  const app = lucilius()
  const ran: string[] = []
  app.use({
    name: 'socket',
    setup: (app) => {
      app.onReady(() => ran.push('open'))
      app.onClose(() => ran.push('close'))
    },
  })
  app.use({
    name: 'bad',
    setup: (app) =>
      app.onReady(() => {
        throw new Error('broken')
      }),
  })
  t.match(await failureOf(app.ready()), { code: 'LUC_PLUGIN_FAILED', message: /'bad'.*onReady.*broken/ })
  t.strictSame(ran, ['open', 'close'])
  await app.close()
})

t.test('onReady hooks run in order after every set-up, onClose hooks in reverse', async (t) => {
  const app = lucilius()
  const ran: string[] = []
  app.onReady(() => ran.push('ready app'))
  app.onClose(() => ran.push('close app'))
  for (const name of ['a', 'b']) {
    app.use({
      name,
      setup: (app) => {
        ran.push(`setup ${name}`)
        app.onReady(async () => {
          await new Promise((resolve) => setImmediate(resolve))
          ran.push(`ready ${name}`)
        })
        app.onClose(async () => {
          await new Promise((resolve) => setImmediate(resolve))
          ran.push(`close ${name}`)
        })
      },
    })
  }
  await app.ready()
  t.strictSame(ran.splice(0), ['setup a', 'setup b', 'ready app', 'ready a', 'ready b'])
  await app.close()
  t.strictSame(ran, ['close b', 'close a', 'close app'])
})

t.test('an onReady hook may act, and so may an onClose hook of the plugin that needs another', async (t) => {
  const app = lucilius()
  const seen: unknown[] = []
  app.use({ name: 'rates', setup: (app) => void app.add('cmd:rate', () => 0.91) })
  app.use({
    name: 'convert',
    setup: (app) => app.onReady(async () => seen.push(await app.act('cmd:rate'))),
  })
  await app.ready()
  t.strictSame(seen, [0.91])
  await app.close()
})

t.test('an act before ready waits for it, within its deadline', async (t) => {
  const app = lucilius()
  const held = gate()
  app.use({
    name: 'slow',
    setup: async (app) => {
      await held.opened
      app.add('a:1', () => 'there')
    },
  })
  const waiting = app.act('a:1')
  const began = performance.now()
  t.match(await failureOf(app.act('a:1', {}, { timeoutMs: 30 })), { code: 'LUC_DEADLINE_EXCEEDED', handled: /^no$/ })
  t.ok(performance.now() - began < 500)
  const controller = new AbortController()
  const cancelled = failureOf(app.act('a:1', {}, { signal: controller.signal }))
  controller.abort()
  t.match(await cancelled, { code: 'LUC_CANCELLED', handled: /^no$/ })
  held.open()
  t.equal(await waiting, 'there')
  await app.close()
})

t.test(
  'a set-up, an onReady hook and an onClose hook that take more than 10 s fail, with the name of the plugin',
  async (t) => {
    mock.timers.enable({ apis: ['setTimeout'] })
    t.teardown(() => mock.timers.reset())
    const turns = async () => {
      for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
    }
    const tick = async (ms: number) => {
      await turns()
      mock.timers.tick(ms)
      await turns()
    }
    let running = gate()
    const never = () => {
      running.open()
      return new Promise<void>(() => {})
    }
    const cases: [string, (app: App) => unknown][] = [
      ['set-up', never],
      ['onReady', (app) => app.onReady(never)],
    ]
    for (const [what, setup] of cases) {
      running = gate()
      const app = lucilius()
      app.use({ name: 'hanging', setup })
      let error: { code?: string; message?: string } | undefined
      app.ready().catch((reason: { code: string }) => {
        error = reason
      })
      await running.opened
      await tick(9_000)
      t.equal(error, undefined)
      await tick(1_500)
      await tick(1_500)
      t.match(error, { code: 'LUC_PLUGIN_FAILED', message: /'hanging'/ }, what)
      t.match(error?.message, new RegExp(what))
    }
    const closing = lucilius()
    closing.use({ name: 'hanging', setup: (app) => app.onClose(never) })
    await closing.ready()
    let failed: unknown
    running = gate()
    closing.close().catch((error: unknown) => {
      failed = error
    })
    await running.opened
    await tick(10_500)
    await tick(1_500)
    t.match(failed, { code: 'LUC_PLUGIN_FAILED', message: /'hanging'.*onClose/ })
  },
)

t.test('after ready no plugin can be added, and a hook comes too late', async (t) => {
  const app = lucilius()
  await app.ready()
  t.match(await failureOf(() => app.use(() => {})), { code: 'LUC_PLUGIN_INVALID' })
  t.match(await failureOf(() => app.onReady(() => {})), { code: 'LUC_PLUGIN_INVALID' })
  app.onClose(() => {})
  await app.close()
})

t.test('a system can be loaded and looked at without being started', async (t) => {
  const app = lucilius()
  let started = false
  app.use(function orders(app) {
    app.add('cmd:order', () => 1)
    app.onReady(() => {
      started = true
    })
  })
  app.add('cmd:own', () => 1)
  t.strictSame(
    app.list().map(({ pattern }) => pattern),
    ['cmd:own'],
  )
  await app.close()
  t.equal(started, false)
})
