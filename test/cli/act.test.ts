import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { ActionError, type App, lucilius as makeApp, sharedSecret } from '../../lib/index.js'
import { openControl } from '../../lib/system/control/index.js'
import { http } from '../../transports/http/index.js'
import { websocket } from '../../transports/websocket/index.js'
import { isOneLine, lucilius } from './fake-io.js'

const secret = 'a-secret-of-a-test-0123456789'
const transports = { http, websocket }
const hostile = '\u001b[2J\u009b31m\u202e\u007f'

t.test('act over a listener prints the reply as JSON and ends with 0', async (t) => {
  for (const [name, transport] of Object.entries(transports)) {
    const { url } = await bank(t).listen(transport({ port: 0 }), { expose: ['role:bank,cmd:*'] })
    const { code, stdout, stderr } = await lucilius(['act', '--url', url, 'role:bank,cmd:sum,of:[1,2]'])
    t.strictSame({ code, stdout, stderr }, { code: 0, stdout: '{"sum":3}\n', stderr: '' }, name)
    const nothing = await lucilius(['act', '--url', url, 'role:bank,cmd:nothing'])
    t.equal(nothing.stdout, 'null\n', 'no reply is null')
  }
})

t.test('an error is one line with code, message and details, and ends with 1', async (t) => {
  for (const [name, transport] of Object.entries(transports)) {
    const { url } = await bank(t).listen(transport({ port: 0 }), { expose: ['role:bank,cmd:*'] })
    const refused = await lucilius(['act', '--url', url, 'role:bank,cmd:refuse'])
    t.strictSame(refused, { code: 1, stdout: '', stderr: 'TOO_POOR: No money {"left":0}\n' }, name)
    const unknown = await lucilius(['act', '--url', url, 'role:nobody'])
    t.match(unknown, { code: 1, stdout: '', stderr: /^LUC_ACTION_NOT_FOUND: [^\n]+\n$/ }, name)
  }
})

t.test('what a hostile listener says is printed with its escapes escaped, and is the same value', async (t) => {
  const evil = await serve(t, (_, response) => {
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ [hostile]: [hostile, '\n👩‍🚀'] }))
  })
  for (const isTty of [false, true]) {
    const { code, stdout } = await lucilius(['act', '--url', evil, 'role:a'], { isTty, columns: 10 })
    t.equal(code, 0)
    t.notMatch(stdout, /[^\P{Cc}\n]|\u202e/u)
    t.strictSame(JSON.parse(stdout), { [hostile]: [hostile, '\n👩‍🚀'] })
  }
  const rude = await serve(t, (_, response) => {
    response.writeHead(422, { 'content-type': 'application/json' })
    const error = { code: `X${hostile}`, message: `first\n    at second${hostile}`, handled: 'yes', details: [hostile] }
    response.end(JSON.stringify({ error }))
  })
  const { code, stderr } = await lucilius(['act', '--url', rude, 'role:a'])
  t.equal(code, 1)
  t.ok(isOneLine(stderr), stderr)
})

t.test('nobody at the address ends with 3 and one line, whatever the scheme', async (t) => {
  for (const url of ['http://127.0.0.1:1', 'ws://127.0.0.1:1', 'http://127.0.0.1:1/api']) {
    for (const command of ['act', 'list', 'explain']) {
      const { code, stdout, stderr } = await lucilius([command, '--url', url, 'role:a'])
      t.strictSame({ code, stdout }, { code: 3, stdout: '' }, `${command} ${url}`)
      t.match(stderr, /127\.0\.0\.1:1/)
      t.ok(isOneLine(stderr), stderr)
    }
  }
})

t.test('a listener that takes the connection and says nothing costs no more than --timeout', async (t) => {
  const mute = createTcpServer()
  await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve))
  t.teardown(() => mute.close())
  const { port } = mute.address() as AddressInfo // it listens on a port
  const sockets = new Set<{ destroy(): void }>()
  mute.on('connection', (socket) => sockets.add(socket))
  const begin = performance.now()
  const { code, stderr } = await lucilius(['act', '--url', `http://127.0.0.1:${port}`, '--timeout', '100', 'role:a'])
  for (const socket of sockets) socket.destroy()
  t.equal(code, 1)
  t.match(stderr, /^LUC_DEADLINE_EXCEEDED: /)
  t.ok(performance.now() - begin < 2000)
})

t.test('an address with a password, or of another scheme, is refused and never printed', async (t) => {
  for (const url of [
    'http://me:hush-hush@127.0.0.1:1',
    'ws://:hush-hush@127.0.0.1:1',
    'ftp://hush-hush',
    'hush-hush',
  ]) {
    const { code, stderr } = await lucilius(['act', '--url', url, 'role:a'])
    t.equal(code, 2, url)
    t.notMatch(stderr, /hush/)
    t.ok(isOneLine(stderr), stderr)
  }
})

t.test('LUCILIUS_SECRET opens a listener of peers, and is never printed', async (t) => {
  for (const [name, transport] of Object.entries(transports)) {
    const app = bank(t)
    const { url } = await app.listen(transport({ port: 0 }), {
      audience: 'peers',
      auth: sharedSecret(secret),
      expose: ['role:bank,cmd:*'],
    })
    const env = { LUCILIUS_SECRET: secret }
    t.equal((await lucilius(['act', '--url', url, 'role:bank,cmd:sum,of:[4]'], { env })).stdout, '{"sum":4}\n', name)
    t.match(
      (await lucilius(['list', '--url', url, 'cmd:sum'], { env })).stdout,
      /^cmd:sum,role:bank {2}bank {2}in bank\n$/,
    )
    const explained = await lucilius(['explain', '--url', url, '--json', 'role:bank,cmd:sum'], { env })
    t.match(JSON.parse(explained.stdout), { winner: { pattern: 'cmd:sum,role:bank', remote: 'bank' } })

    const clients = await app.listen(transport({ port: 0 }), {
      auth: sharedSecret(secret),
      expose: ['role:bank,cmd:*'],
    })
    const asked = await lucilius(['act', '--url', clients.url, 'role:bank,cmd:sum,of:[4]'], { env })
    t.equal(asked.stdout, '{"sum":4}\n', `${name}: a listener for clients lets nobody in as a peer`)

    for (const wrong of [{}, { LUCILIUS_SECRET: `${secret}-wrong` }]) {
      for (const command of ['act', 'list']) {
        const { code, stderr } = await lucilius([command, '--url', url, 'role:bank'], { env: wrong })
        t.equal(code, 1)
        t.match(stderr, /LUC_UNAUTHENTICATED/)
        t.match(stderr, 'LUCILIUS_SECRET' in wrong ? /not the one of this listener/ : /Set LUCILIUS_SECRET /)
        t.notMatch(stderr, secret)
        t.ok(isOneLine(stderr), stderr)
      }
    }
  }
  const short = await lucilius(['act', '--url', 'http://127.0.0.1:1', 'a:1'], { env: { LUCILIUS_SECRET: 'hush' } })
  t.equal(short.code, 2)
  t.notMatch(short.stderr, /hush/)
})

t.test('an address of the wrong scheme or path is answered with the one to try', async (t) => {
  const app = bank(t)
  const [ws, web] = await Promise.all([
    app.listen(websocket({ port: 0 }), { audience: 'peers', expose: '*' }),
    app.listen(http({ port: 0 }), { expose: ['role:bank,cmd:*'] }),
  ])
  const asked = [
    [ws.url.replace('/ws', ''), `Try --url ${ws.url}`],
    [ws.url.replace('ws:', 'http:').replace('/ws', ''), `Try --url ${ws.url}`],
    [web.url.replace('http:', 'ws:'), `Try --url ${web.url}`],
    [`${web.url.replace('http:', 'ws:')}/ws`, `Try --url ${web.url}`],
  ] as const
  for (const [url, advice] of asked) {
    for (const command of ['act', 'list']) {
      const { code, stderr } = await lucilius([command, '--url', url, 'role:bank'])
      t.equal(code, 1, `${command} ${url}`)
      t.ok(stderr.includes(advice), stderr)
      t.ok(isOneLine(stderr), stderr)
    }
  }
})

t.test('a listener for clients tells nothing of what it answers, and list says so', async (t) => {
  for (const [name, transport] of Object.entries(transports)) {
    const { url } = await bank(t).listen(transport({ port: 0 }), { audience: 'clients', expose: '*' })
    const { code, stderr } = await lucilius(['list', '--url', url])
    t.equal(code, 1, name)
    t.match(stderr, /for clients.*LUCILIUS_SECRET/)
    t.ok(isOneLine(stderr), stderr)
  }
})

t.test('without an address the system that runs from this folder is asked', async (t) => {
  const { folder, env } = place(t)
  const app = bank(t)
  const running = { app, about: () => ({ name: 'bank', deployment: 'dev', processes: [] }) }
  const control = await openControl({ folder, what: 'dev', runDir: env.LUCILIUS_RUN_DIR }, running)
  t.teardown(() => control.close())
  const world = { cwd: folder, env }
  t.equal((await lucilius(['act', 'role:bank,cmd:sum,of:[1,1]'], world)).stdout, '{"sum":2}\n')
  t.match(await lucilius(['act', 'role:bank,cmd:refuse'], world), {
    code: 1,
    stderr: 'TOO_POOR: No money {"left":0}\n',
  })
  t.match((await lucilius(['list'], world)).stdout, 'cmd:sum,role:bank')
  t.match((await lucilius(['explain', 'role:bank,cmd:sum'], world)).stdout, /winner +cmd:sum,role:bank/)
})

t.test('where nothing runs, the system is started for one message, and what services print is no reply', async (t) => {
  const { folder, env } = place(t)
  const world = { cwd: folder, env }
  const { code, stdout, stderr } = await lucilius(['act', 'role:stock,cmd:left'], world)
  t.strictSame({ code, stdout, stderr }, { code: 0, stdout: '{"left":1}\n', stderr: '' }, 'its hooks have run')
  t.match(await lucilius(['act', 'role:stock,cmd:left'], { ...world, isErrorTty: true }), {
    stdout: '{"left":1}\n',
    stderr: /^lucilius: nothing of this system runs: it was started for this one message\.\n$/,
  })
  const listed = await lucilius(['list', '--json'], world)
  t.strictSame(JSON.parse(listed.stdout), [
    { pattern: 'cmd:left,role:stock', service: 'stock' },
    { pattern: 'cmd:lose,role:stock', service: 'stock' },
    { pattern: 'role:stock', service: 'stock' },
  ])
  t.match(await lucilius(['list', 'role:none'], world), { code: 0, stdout: '', stderr: /No action.*role:none/ })
})

t.test('explain shows the winner, why the others lost, priors, and what is near', async (t) => {
  const { folder, env } = place(t)
  const world = { cwd: folder, env }
  const { stdout } = await lucilius(['explain', 'role:stock,cmd:left,x:1'], world)
  t.strictSame(stdout.trimEnd().split('\n'), [
    'message     {"role":"stock","cmd":"left","x":1}',
    'winner      cmd:left,role:stock  stock',
    'candidates  cmd:left,role:stock  stock    wins',
    '            role:stock           stock    lost: it has fewer keys, 1 against 2.',
    'priors      role:stock  stock',
    'wraps       role:stock  stock  at the handler',
  ])
  const lost = await lucilius(['explain', 'role:stok'], world)
  t.match(lost, { code: 0, stdout: /winner +none.*\nnearest +role:stock/ })
})

t.test(
  'a module that throws is told in one line with its place, and to a person with the code around it',
  async (t) => {
    const { folder, env } = place(t)
    writeFileSync(join(folder, 'broken.ts'), 'const a: number = 1\nthrow new Error("not today")\nexport default a\n')
    const argv = ['act', 'a:1', '--config', 'broken.ts']
    const { code, stderr } = await lucilius(argv, { cwd: folder, env })
    t.equal(code, 1)
    t.match(stderr, /not today \(broken\.ts:2:7\)/)
    t.ok(isOneLine(stderr), stderr)
    const person = await lucilius(argv, { cwd: folder, env, isErrorTty: true })
    t.match(person.stderr, /> 2 \| throw new Error\("not today"\)/)
  },
)

t.test('where the system is started for one message, an error says what was thrown, and where', async (t) => {
  const { folder, env } = place(t)
  const { code, stderr } = await lucilius(['act', 'role:stock,cmd:lose'], {
    cwd: folder,
    env: { ...env, LUCILIUS_LOG_LEVEL: 'silent' },
  })
  t.equal(code, 1)
  t.match(stderr, /^LUC_ACTION_FAILED: .* lost it \(services\/stock\.ts:6:\d+\)\n$/)
  t.ok(isOneLine(stderr), stderr)
})

t.test('where the system is started for one message, warnings are told: to a person as text', async (t) => {
  const { folder, env } = place(t)
  writeFileSync(
    join(folder, 'lucilius.config.mjs'),
    "export default { services: { stock: './services/stock.ts', shop: { module: './shop.mjs', uses: [] } } }",
  )
  const shop =
    "export const shop = (app) => app.add('role:shop', (_, { act }) => act('role:stock,cmd:left', { sku: 1 }))"
  writeFileSync(join(folder, 'shop.mjs'), shop)
  const world = { cwd: folder, env: { ...env, LUCILIUS_NONSENSE: '1' } }
  const told = (text: string) =>
    text
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line).msg)
  const odd = 'LUCILIUS_NONSENSE: lucilius reads no such variable'
  const acted = await lucilius(['act', 'role:shop'], world)
  t.match(told(acted.stderr), [odd, /^'shop' acts on role:stock,cmd:left, which its 'uses' do not cover/])
  t.equal(acted.stdout, '{"left":1}\n')
  t.strictSame(told((await lucilius(['list'], world)).stderr), [odd])
  const person = await lucilius(['act', 'role:shop'], { ...world, isErrorTty: true })
  t.strictSame(told(person.stderr), [])
  t.match(person.stderr, /^\d\d:\d\d:\d\d\.\d{3} warn {2}'shop' acts on role:stock,cmd:left/m)
})

t.test('a reply that does not fit on a line is spread for a person only', async (t) => {
  const { url } = await bank(t).listen(http({ port: 0 }), { expose: ['role:bank,cmd:*'] })
  const argv = ['act', '--url', url, 'role:bank,cmd:sum,of:[1]']
  t.equal((await lucilius(argv, { isTty: true })).stdout, '{"sum":1}\n')
  t.equal((await lucilius(argv, { isTty: true, columns: 4 })).stdout, '{\n  "sum": 1\n}\n')
  t.equal((await lucilius(argv, { columns: 4 })).stdout, '{"sum":1}\n')
})

function bank(t: Test): App {
  const app = makeApp({ name: 'bank' })
  t.teardown(() => app.close())
  app.add('role:bank,cmd:sum', ({ of }) => ({ sum: (of as number[]).reduce((a, b) => a + b) }))
  app.add('role:bank,cmd:nothing', () => undefined)
  app.add('role:bank,cmd:refuse', () => {
    throw new ActionError('TOO_POOR', 'No money', { left: 0 })
  })
  return app
}

/** A folder with a system, and one for control sockets. */
function place(t: Test) {
  const folder = mkdtempSync(join(tmpdir(), 'luc-act-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  mkdirSync(join(folder, 'services'))
  mkdirSync(join(folder, 'run'), { mode: 0o700 })
  writeFileSync(
    join(folder, 'services/stock.ts'),
    `export function stock(app) {
      let left: number = 0
      app.onReady(() => { left = 1 })
      app.add('role:stock', () => ({ left: -1 }))
      app.add('role:stock,cmd:left', () => (console.log('noise'), { left }))
      app.add('role:stock,cmd:lose', () => { throw new Error('lost it') })
      app.wrap('role:stock', (next) => (message, context) => next(message, context))
    }`,
  )
  return { folder, env: { LUCILIUS_RUN_DIR: join(folder, 'run') } }
}

async function serve(t: Test, answer: Parameters<typeof createServer>[1] & object): Promise<string> {
  const server: Server = createServer(answer as never)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo // it listens on a port
  return `http://127.0.0.1:${port}`
}
