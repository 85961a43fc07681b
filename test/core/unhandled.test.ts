import { spawn } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'

const here = dirname(fileURLToPath(import.meta.url))

/** Runs a program with the library at hand; gives what it printed and how it ended. */
async function run(program: string): Promise<{ code: number | null; out: string }> {
  const script = `
    import { lucilius, ActionError } from ${JSON.stringify(join(here, '../../lib/index.js'))}
    import { inProcess } from ${JSON.stringify(join(here, '../../transports/in-process/index.js'))}
    ${program}`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'ignore'] })
  let out = ''
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk
  })
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve))
  return { code, out }
}

t.test('failures that somebody else waits for, or that nobody can wait for, are no unhandled rejections', async (t) => {
  const { code, out } = await run(`
    process.on('unhandledRejection', (reason) => { console.log('UNHANDLED', reason); process.exitCode = 9 })
    const later = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
    const reject = (app, ...args) => app.act(...args).then(() => console.log('NO FAILURE', args), () => {})
    for (const parity of ['strict', 'off']) {
      const app = lucilius({ parity, timeoutMs: 100, drainMs: 50, forgetMs: 100 })
      app.add('a:1', () => { throw new Error('x') })
      app.add('a:2', async () => { await later(60); throw new Error('late') })
      app.add('a:3', () => new Promise(() => {}))
      app.add('a:4', async (_, { act, prior }) => {
        // The handler waits for both, and only one of them can be the first to fail.
        return Promise.all([act('a:1'), act('a:2'), prior()])
      })
      app.add('a:5', async (_, { signal }) => { signal.throwIfAborted(); await later(120); signal.throwIfAborted() })
      app.add('a:6', () => undefined)
      app.add('a:7', () => 1n)
      app.on('e:1', async () => { throw new Error('x') })
      app.on('e:1', () => { throw undefined })
      app.on('e:1', (_, { act }) => act('a:1'))
      app.wrap('a:6', { at: 'caller' }, (next) => async (m, c) => { await next(m, c); throw new Error('wrap') })
      const listener = await app.listen(inProcess(), { expose: '*', events: { in: '*', out: '*' } })
      const near = lucilius({ parity, timeoutMs: 100, drainMs: 50, forgetMs: 100 })
      const connection = await near.connect(inProcess({ url: listener.url }))
      for (const one of [app, near]) {
        const all = [1, 2, 3, 4, 5].flatMap((a) => [
          reject(one, 'a:' + a, {}, { timeoutMs: 30 }),
          reject(one, 'a:' + a, {}, { signal: AbortSignal.timeout(20) }),
        ])
        all.push(reject(one, 'a:1'), reject(one, 'a:4'), reject(one, 'nobody:1'), reject(one, 'a:b:c'))
        await one.emit('e:1')
        await Promise.all(all)
      }
      const lost = [reject(near, 'a:3'), reject(near, 'a:2')]
      await connection.close()
      await Promise.all(lost)
      void near.connect(inProcess({ url: 'in-process:nobody' }), { wait: false })
      const parked = reject(near, 'a:9')
      const closing = [reject(app, 'a:3'), reject(app, 'a:2')]
      await Promise.all([app.close(), near.close(), parked, ...closing])
      const bad = lucilius({ parity })
      bad.use(function bad() { throw new Error('x') })
      const failing = [reject(bad, 'a:1'), reject(bad, 'a:1')]
      await Promise.all(failing)
      await bad.close()
      const unused = lucilius({ parity })
      unused.use(function bad() { throw new Error('x') })
      await unused.close()
    }
    await later(200)
    console.log('done')
  `)
  t.equal(out, 'done\n')
  t.equal(code, 0)
})

t.test('an act that nobody awaits rejects like any promise: that is for its caller to know', async (t) => {
  const { out } = await run(`
    const seen = []
    process.on('unhandledRejection', (reason) => seen.push(reason.code))
    const app = lucilius()
    app.add('a:1', () => { throw new ActionError('NO', 'No') })
    app.act('a:1')
    app.act('b:1')
    await new Promise((resolve) => setTimeout(resolve, 50))
    console.log(seen.sort().join())
    await app.close()
  `)
  t.equal(out, 'LUC_ACTION_NOT_FOUND,NO\n')
})

t.test('an app that was closed, or never used, does not keep the process alive', async (t) => {
  const { code, out } = await run(`
    lucilius().add('a:1', () => 1)
    const app = lucilius()
    app.add('a:1', () => 1)
    const listener = await app.listen(inProcess(), { expose: '*' })
    const near = lucilius()
    await near.connect(inProcess({ url: listener.url }))
    await near.act('a:1')
    await near.close()
    await app.close()
    const before = performance.now()
    process.on('exit', () => console.log(performance.now() - before < 2000))
  `)
  t.equal(out, 'true\n')
  t.equal(code, 0)
})

t.test('ten thousand priors without a hop limit end in an error, not in a crash', async (t) => {
  const { code, out } = await run(`
    Error.stackTraceLimit = 0
    for (const handler of [(_, { prior }) => prior(), async (_, { prior }) => await prior()]) {
      const app = lucilius({ maxHops: 20_000, parity: 'off', drainMs: 100 })
      for (let n = 0; n < 10_000; n++) app.add('a:1', handler)
      console.log(await app.act('a:1').then(() => 'LUC_ACTION_FAILED', (error) => error.code))
      app.add('b:1', () => 'alive')
      console.log(await app.act('b:1'))
      await app.close()
    }
  `)
  t.equal(out, 'LUC_ACTION_FAILED\nalive\n'.repeat(2))
  t.equal(code, 0)
})
