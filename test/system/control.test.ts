import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
} from 'node:fs'
import promises from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import t, { type Test } from 'tap'
import { ActionError, type App, lucilius } from '../../lib/index.js'
import { type Control, connectControl, findControl, openControl } from '../../lib/system/control/index.js'
import { until } from './processes.js'

/** A folder of its own for each test: one for the sockets, one as the system's. */
function folders(t: Test): { readonly runDir: string; readonly folder: string } {
  const place = mkdtempSync(join(tmpdir(), 'luc-'))
  t.teardown(() => rmSync(place, { recursive: true, force: true }))
  const folder = join(place, 'system')
  mkdirSync(folder)
  return { runDir: join(place, 'run'), folder }
}

function rates(t: Test): App {
  const app = lucilius({ name: 'rates', drainMs: 50 })
  t.teardown(() => app.close())
  app.add('role:rates,cmd:get', ({ pair }) => ({ pair, rate: 0.9 }))
  app.add('role:rates,cmd:refuse', () => {
    throw new ActionError('RATE_UNKNOWN', 'No such rate', { pair: 'x' })
  })
  app.add('role:rates,cmd:nothing', () => undefined)
  app.add('role:rates,cmd:big', () => 'x'.repeat(5 * 1024 * 1024))
  return app
}

const about = () => ({
  name: 'shop',
  deployment: 'dev',
  processes: [{ id: 'all', pid: 1, url: 'ws://127.0.0.1:1/ws' }, { id: 'other' }],
})

async function open(t: Test, app = rates(t), what = 'dev'): Promise<Control & { runDir: string; folder: string }> {
  const place = folders(t)
  const control = await openControl({ ...place, what }, { app, about })
  t.teardown(() => control.close())
  return { ...control, ...place }
}

t.test('commands of the same user act on, list and explain what runs', async (t) => {
  const app = rates(t)
  const { folder, runDir, path } = await open(t, app)
  const client = await findControl(folder, runDir)
  if (client === undefined) throw new Error('it was not found')
  t.teardown(() => client.close())
  t.equal(client.path, path)
  t.strictSame(await client.act('role:rates,cmd:get,pair:usd_eur'), { pair: 'usd_eur', rate: 0.9 })
  t.strictSame(await client.act({ role: 'rates', cmd: 'get', pair: [1] }), { pair: [1], rate: 0.9 })
  t.equal(await client.act('role:rates,cmd:nothing'), undefined)
  t.strictSame(await client.list('cmd:get'), [{ pattern: 'cmd:get,role:rates', service: 'rates' }])
  t.equal((await client.list()).length, app.list().length)
  t.match(await client.explain('role:rates,cmd:get'), { winner: { pattern: 'cmd:get,role:rates' } })
  t.strictSame(await client.about(), { ...about(), what: 'dev', pid: process.pid })
})

t.test('errors come as they are', async (t) => {
  const { path } = await open(t)
  const client = await connectControl(path)
  t.teardown(() => client.close())
  await t.rejects(client.act('role:rates,cmd:refuse'), {
    name: 'ActionError',
    code: 'RATE_UNKNOWN',
    message: 'No such rate',
    details: { pair: 'x' },
  })
  await t.rejects(client.act('role:none'), { code: 'LUC_ACTION_NOT_FOUND', handled: 'no' })
  await t.rejects(client.act('role'), { code: 'LUC_PATTERN_INVALID' })
  await t.rejects(client.list('role:a:b'), { code: 'LUC_PATTERN_INVALID' })
  await t.rejects(client.act('role:rates,cmd:big'), { code: 'LUC_REPLY_INVALID', handled: 'yes' })
  await t.rejects(client.act({ text: 'x'.repeat(5 * 1024 * 1024) }), { code: 'LUC_TOO_LARGE', handled: 'no' })
  t.match(await client.about(), { what: 'dev' }, 'and it goes on')
})

t.test('an act has the time that it was given', async (t) => {
  const app = rates(t)
  app.add('role:slow', () => new Promise(() => {}))
  const { path } = await open(t, app)
  const client = await connectControl(path)
  t.teardown(() => client.close())
  const began = performance.now()
  await t.rejects(client.act('role:slow', { timeoutMs: 50 }), { code: 'LUC_DEADLINE_EXCEEDED' })
  t.ok(performance.now() - began < 1000)
})

t.test('what runs is cancelled when the client goes', async (t) => {
  const app = rates(t)
  const ends: Promise<unknown>[] = []
  app.add('role:slow', (_message, { signal }) => {
    ends.push(once(signal, 'abort'))
    return new Promise(() => {})
  })
  const { path } = await open(t, app)
  const client = await connectControl(path)
  const asked = t.rejects(client.act('role:slow'), { code: 'LUC_REPLY_LOST', handled: 'unknown' })
  await until(() => ends.length > 0)
  client.close()
  await Promise.all(ends)
  await asked
  await t.rejects(client.about(), { code: 'LUC_REPLY_LOST' })
})

t.test('many questions at once are all answered, each with its own reply', async (t) => {
  const app = rates(t)
  app.add('role:wait', async ({ ms, at }) => {
    await new Promise((resolve) => setTimeout(resolve, Number(ms)))
    return at
  })
  const { path } = await open(t, app)
  const clients = await Promise.all([connectControl(path), connectControl(path)])
  t.teardown(() => clients.map((client) => client.close()))
  const asked = Array.from({ length: 200 }, (_, at) => clients[at % 2]?.act({ role: 'wait', ms: (at * 7) % 20, at }))
  t.strictSame(
    await Promise.all(asked),
    asked.map((_, at) => at),
  )
})

t.test('more than can be worked on at once is refused, and may be asked again', async (t) => {
  const app = rates(t)
  app.add('role:slow', () => new Promise(() => {}))
  const { path } = await open(t, app)
  const client = await connectControl(path)
  const slow = Array.from({ length: 256 }, () => client.act('role:slow').catch(() => {}))
  await t.rejects(client.about(), { code: 'LUC_OVERLOADED', retryable: true })
  client.close()
  await Promise.all(slow)
})

t.test('what is no request is refused, and the socket goes on', async (t) => {
  const { path } = await open(t)
  const { socket, answer } = await raw(t, path)
  for (const [line, error] of [
    ['garbage', { code: 'LUC_WIRE_INVALID' }],
    ['[]', { code: 'LUC_WIRE_INVALID' }],
    ['{"op":"about"}', { code: 'LUC_WIRE_INVALID', message: /'id'/ }],
    ['{"id":"1","op":"about"}', { code: 'LUC_WIRE_INVALID' }],
    ['{"id":1}', { code: 'LUC_WIRE_INVALID', message: /'op'/ }],
    ['{"id":1,"op":"store"}', { code: 'LUC_WIRE_INVALID', message: /'question'/ }],
    ['{"id":1,"op":"store","question":{"ask":"everything"}}', { code: 'LUC_WIRE_INVALID', message: /'question'/ }],
    ['{"id":1,"op":"store","question":{"ask":"drop"}}', { code: 'LUC_WIRE_INVALID', message: /'question'/ }],
    ['{"id":1,"op":"store","question":{"ask":"report"}}', { code: 'LUC_STORE_REQUIRED' }],
    ['{"id":1,"op":"act"}', { code: 'LUC_WIRE_INVALID', message: /'message'/ }],
    ['{"id":1,"op":"act","message":7}', { code: 'LUC_WIRE_INVALID' }],
    ['{"id":1,"op":"act","message":{},"timeoutMs":"1"}', { code: 'LUC_WIRE_INVALID', message: /'timeoutMs'/ }],
    ['{"id":1,"op":"act","message":{"role":"rates"},"timeoutMs":-1}', { code: 'LUC_OPTIONS_INVALID' }],
    ['{"id":1,"op":"list","pattern":7}', { code: 'LUC_WIRE_INVALID' }],
    ['{"id":1,"op":"list","pattern":{"a":[]}}', { code: 'LUC_PATTERN_INVALID' }],
    ['{"id":1,"op":"explain"}', { code: 'LUC_WIRE_INVALID' }],
    ['{"id":1,"op":"act","message":{"__proto__":{"a":1}}}', { code: 'LUC_WIRE_INVALID' }],
    [`{"id":1,"op":"act","message":${'['.repeat(100)}${']'.repeat(100)}}`, { code: 'LUC_WIRE_INVALID' }],
  ] as const) {
    socket.write(`${line}\n\n`)
    t.match(await answer(), { error }, line)
  }
  socket.write('{"id":2,"op"')
  socket.write(':"about"}\n{"id":3,"op":"li')
  t.match(await answer(), { id: 2, reply: { what: 'dev' } })
  socket.write('st"}\n')
  t.match(await answer(), { id: 3 })
})

t.test('a line that is too long ends its socket, and no other', async (t) => {
  const { path } = await open(t)
  const other = await connectControl(path)
  t.teardown(() => other.close())
  for (const end of ['', '\n']) {
    const { socket, answer } = await raw(t, path)
    socket.write(`"${'x'.repeat(4 * 1024 * 1024)}"${end}`)
    t.match(await answer(), { error: { code: 'LUC_TOO_LARGE' } })
    if (!socket.closed) await once(socket, 'close')
  }
  t.match(await other.about(), { what: 'dev' })
})

t.test('nobody but the user may open it, and it goes when it is closed', async (t) => {
  const { path, close, folder, runDir } = await open(t)
  t.equal(statSync(path).mode & 0o777, 0o600)
  t.equal(statSync(dirname(path)).mode & 0o777, 0o700)
  t.match(basename(path), new RegExp(`^[0-9a-f]{12}-dev-${process.pid}\\.sock$`))
  const client = await connectControl(path)
  await close()
  await close()
  t.notOk(existsSync(path))
  await t.rejects(client.about(), { code: 'LUC_REPLY_LOST' })
  t.equal(await findControl(folder, runDir), undefined)
  await t.rejects(connectControl(path), { code: 'LUC_UNREACHABLE' })
})

t.test(
  'a socket that can be seen can be used: it has its name only when it listens, and is closed to others',
  async (t) => {
    const { runDir, folder } = folders(t)
    mkdirSync(runDir, { mode: 0o700 })
    const seen: number[] = []
    let isOpen = false
    const opening = openControl({ runDir, folder, what: 'dev' }, { app: rates(t), about }).finally(() => {
      isOpen = true
    })
    while (!isOpen) {
      for (const name of readdirSync(runDir)) {
        if (name.endsWith('.sock')) seen.push(statSync(join(runDir, name)).mode & 0o777)
      }
      await new Promise((resolve) => setImmediate(resolve))
    }
    const control = await opening
    t.strictSame(
      seen.filter((mode) => mode !== 0o600),
      [],
    )
    t.strictSame(readdirSync(runDir), [basename(control.path)])
    await control.close()
    t.strictSame(readdirSync(runDir), [])
  },
)

t.test('a folder that others may enter is not used', async (t) => {
  const { runDir, folder } = folders(t)
  mkdirSync(runDir)
  chmodSync(runDir, 0o755)
  const opening = () => openControl({ runDir, folder, what: 'dev' }, { app: rates(t), about })
  await t.rejects(opening(), { code: 'LUC_LISTEN_FAILED', message: /is open to other users: chmod 700/ })
  t.equal(await findControl(folder, runDir), undefined)
  const place = folders(t)
  mkdirSync(join(place.runDir, 'real'), { recursive: true, mode: 0o700 })
  symlinkSync(join(place.runDir, 'real'), join(place.runDir, 'link'))
  const linked = { ...place, runDir: join(place.runDir, 'link'), what: 'dev' }
  await t.rejects(openControl(linked, { app: rates(t), about }), { message: /is no folder/ })
})

t.test('a folder or socket of another user is not used', async (t) => {
  const isRoot = process.getuid?.() === 0
  const { runDir, folder, path } = await open(t)
  // Only root can give files away; for others the root folder is one.
  const foreign = isRoot ? runDir : '/'
  if (isRoot) {
    chownSync(path, 65534, 65534)
    t.equal(await findControl(folder, runDir), undefined, 'a socket')
    chownSync(path, 0, 0)
    chownSync(runDir, 65534, 65534)
  }
  t.equal(await findControl(folder, foreign), undefined, 'a folder')
  const opening = openControl({ runDir: foreign, folder, what: 'dev' }, { app: rates(t), about })
  await t.rejects(opening, { code: 'LUC_LISTEN_FAILED', message: /belongs to another user/ })
})

t.test('a path that is too long for a socket is told, with what to set', async (t) => {
  const { runDir, folder } = folders(t)
  const opening = openControl({ runDir: join(runDir, 'x'.repeat(90)), folder, what: 'dev' }, { app: rates(t), about })
  await t.rejects(opening, { code: 'LUC_LISTEN_FAILED', message: /more than 103 bytes: set LUCILIUS_RUN_DIR/ })
})

t.test('without LUCILIUS_RUN_DIR a shorter folder is taken where the usual one is too long', async (t) => {
  const { folder } = folders(t)
  const { XDG_RUNTIME_DIR, LUCILIUS_RUN_DIR } = process.env
  const long = join(folder, 'x'.repeat(90))
  process.env.XDG_RUNTIME_DIR = long
  delete process.env.LUCILIUS_RUN_DIR
  t.teardown(() => {
    for (const [name, value] of Object.entries({ XDG_RUNTIME_DIR, LUCILIUS_RUN_DIR })) {
      if (value === undefined) delete process.env[name]
      else process.env[name] = value
    }
  })
  const control = await openControl({ folder, what: 'dev' }, { app: rates(t), about })
  t.teardown(() => control.close())
  t.notOk(control.path.startsWith(long))
  const client = await findControl(folder)
  t.equal(client?.path, control.path)
  client?.close()
})

t.test('what runs has a long or odd name, and is found all the same', async (t) => {
  const { folder, runDir, path } = await open(t, rates(t), `start-${'x'.repeat(100)}/../é`)
  t.equal(dirname(path), runDir)
  const client = await findControl(folder, runDir)
  t.match(await client?.about(), { what: `start-${'x'.repeat(100)}/../é` })
  client?.close()
})

t.test('the newest that answers is found; those of other systems are not', async (t) => {
  const place = folders(t)
  const others = folders(t)
  const open = async (what: string, folder = place.folder) => {
    const control = await openControl({ ...place, folder, what }, { app: rates(t), about })
    t.teardown(() => control.close())
    return control
  }
  const oldest = await open('dev')
  utimesSync(oldest.path, 1, 1)
  const newest = await open('up-split')
  await open('dev', others.folder)
  const client = await findControl(place.folder, place.runDir)
  t.match(await client?.about(), { what: 'up-split' })
  client?.close()
  await newest.close()
  const next = await findControl(place.folder, place.runDir)
  t.match(await next?.about(), { what: 'dev' })
  next?.close()
})

t.test('a socket that nobody answers any more is removed; one who does not answer is passed over', async (t) => {
  const { folder, runDir, path } = await open(t)
  // What a killed process leaves behind.
  const stale = join(runDir, `${basename(path).slice(0, 12)}-dev-1.sock`)
  const program = `require('net').createServer().listen(${JSON.stringify(stale)}, () => console.log('open'))`
  const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(child.stdout, 'data')
  child.kill('SIGKILL')
  await once(child, 'exit')
  t.ok(existsSync(stale))
  // Newer than the one that answers.
  const silent = join(runDir, `${basename(path).slice(0, 12)}-dev-2.sock`)
  const sockets = new Set<Socket>()
  const server = createServer((socket) => void sockets.add(socket))
  await new Promise<void>((resolve) => server.listen(silent, resolve))
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const client = await findControl(folder, runDir)
  t.equal(client?.path, path)
  client?.close()
  t.notOk(existsSync(stale), 'the stale one is gone')
  t.ok(existsSync(silent))
})

t.test('a process that exits without closing leaves no socket behind', async (t) => {
  const { folder, runDir } = folders(t)
  const module = new URL('../../lib/system/control/index.js', import.meta.url).href
  const program = `
    const { openControl } = await import(${JSON.stringify(module)})
    await openControl(${JSON.stringify({ folder, runDir, what: 'dev' })}, { app: {}, about: () => ({ name: 'x', deployment: 'dev', processes: [] }) })
    process.exit(3)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: 'inherit' })
  const [code] = await once(child, 'exit')
  t.equal(code, 3)
  t.strictSame(readdirSync(runDir), [])
})

interface Raw {
  readonly socket: Socket
  answer(): Promise<unknown>
}

async function raw(t: Test, path: string): Promise<Raw> {
  const socket = connect(path)
  t.teardown(() => socket.destroy())
  socket.on('error', () => {})
  await once(socket, 'connect')
  const lines = createInterface({ input: socket })[Symbol.asyncIterator]()
  return { socket, answer: async () => JSON.parse((await lines.next()).value) }
}

t.test('a socket that cannot be kept from others is not left open', async (t) => {
  const place = folders(t)
  const { chmod } = promises
  promises.chmod = async () => {
    throw Object.assign(new Error('no'), { code: 'EPERM' })
  }
  syncBuiltinESMExports()
  t.teardown(() => {
    promises.chmod = chmod
    syncBuiltinESMExports()
  })
  await t.rejects(openControl({ ...place, what: 'dev' }, { app: rates(t), about }), {
    code: 'LUC_LISTEN_FAILED',
    message: /EPERM/,
  })
  await until(() => readdirSync(place.runDir).length === 0)
})
