import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { jsonLogger, silentLogger } from '../../lib/logger.js'
import { type ControlClient, findControl } from '../../lib/system/control/index.js'
import { defineSystem } from '../../lib/system/define-system.js'
import type { DeploymentDescription } from '../../lib/system/description.js'
import { readEnvironment } from '../../lib/system/environment.js'
import { hushed } from '../../lib/system/hushed.js'
import { overridden } from '../../lib/system/overridden.js'
import { processEnd } from '../../lib/system/process-end.js'
import { startPlan } from '../../lib/system/start-addresses.js'
import type { Deployment, Group } from '../../lib/system/system.js'
import { skipWithout, startNats } from '../support/brokers.js'
import { freeMulticast } from '../support/multicast.js'
import { SECRET, until } from './processes.js'

const skip = skipWithout('nats-server')

// Some thirty processes are started one after another.
t.setTimeout(120_000)

const program = fileURLToPath(new URL('./start-child.js', import.meta.url))

/** Services that a test writes into the folder of a system. */
const services = {
  rates: `
    export default (app) => {
      app.add('role:rates,cmd:get', () => ({ rate: 0.9 }))
      app.add('role:rates,cmd:slow', async ({ ms }) => {
        app.log.info('slow runs')
        await new Promise((resolve) => setTimeout(resolve, ms))
        return 'slow'
      })
      app.add('role:rates,cmd:hang', () => new Promise(() => {}))
      app.add('role:rates,cmd:throw', () => void setTimeout(() => { throw new Error('out of nowhere') }))
      app.add('role:rates,cmd:reject', () => void Promise.reject(new Error('nobody listens')))
      app.onClose(() => app.log.info('rates closed'))
    }`,
  convert: `
    export default (app) => {
      app.add('role:convert', async ({ amount }, context) => {
        const { rate } = await context.act('role:rates,cmd:get')
        return amount * rate
      })
    }`,
  gated: `
    export default (app) => {
      app.onReady(() => new Promise((open) => {
        process.once('SIGUSR2', open)
        app.log.info('gate is shut')
      }))
    }`,
  warm: `
    export default (app) => {
      app.onReady(() => app.act('role:rates,cmd:get', {}, { timeoutMs: 400 }))
    }`,
  broken: `export default (app) => { app.onClose(() => { throw new Error('will not close') }) }`,
}

interface Scene {
  readonly folder: string
  readonly runDir: string
  start(group: string, env?: NodeJS.ProcessEnv, deployment?: string): Started
}

interface Started {
  readonly child: ChildProcess
  readonly lines: { readonly level: number; readonly msg: string; readonly [key: string]: unknown }[]
  readonly stderr: () => string
  /** Resolves with a line of the log; rejects if the process ends without it. */
  line(msg: string): Promise<{ readonly [key: string]: unknown }>
  /** Code and signal. */
  readonly ended: Promise<readonly [number | null, NodeJS.Signals | null]>
  control(): Promise<ControlClient>
}

function scene(t: Test, deployments: object): Scene {
  const place = mkdtempSync(join(tmpdir(), 'luc-'))
  const [folder, runDir] = [join(place, 'system'), join(place, 'run')]
  mkdirSync(folder)
  const names = Object.keys(services).map((name) => `${name}: './${name}.mjs'`)
  const config = `export default { name: 'shop', services: { ${names.join(', ')} }, deployments: ${JSON.stringify(deployments)} }`
  writeFileSync(join(folder, 'lucilius.config.mjs'), config)
  for (const [name, text] of Object.entries(services)) writeFileSync(join(folder, `${name}.mjs`), text)
  const children: ChildProcess[] = []
  t.teardown(async () => {
    for (const child of children) {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
    }
    rmSync(place, { recursive: true, force: true })
  })
  const start = (group: string, env: NodeJS.ProcessEnv = {}, deployment = 'split'): Started => {
    const child = spawn(process.execPath, [program, deployment, group], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env.PATH, LUCILIUS_RUN_DIR: runDir, ...env },
    })
    children.push(child)
    return started(t, child, folder, runDir)
  }
  return { folder, runDir, start }
}

function started(t: Test, child: ChildProcess, folder: string, runDir: string): Started {
  const lines: Started['lines'] = []
  let stderr = ''
  let ended = false
  child.stderr?.setEncoding('utf8').on('data', (text) => {
    stderr += text
  })
  if (child.stdout !== null) createInterface({ input: child.stdout }).on('line', (line) => lines.push(JSON.parse(line)))
  const end = once(child, 'close').then(([code, signal]) => {
    ended = true
    return [code, signal] as const
  })
  return {
    child,
    lines,
    stderr: () => stderr,
    ended: end,
    line: async (msg) => {
      const find = () => lines.find((line) => line.msg === msg)
      await until(() => find() !== undefined || ended, 10_000)
      const found = find()
      if (found === undefined) throw new Error(`it ended without '${msg}': ${stderr} ${JSON.stringify(lines)}`)
      return found
    },
    control: async () => {
      const client = await findControl(folder, runDir)
      if (client === undefined) throw new Error('no control socket')
      t.teardown(() => client.close())
      return client
    },
  }
}

const alone = { split: { groups: { rates: ['rates', 'convert'] } } }

t.test('SIGTERM drains what runs, and the process ends with 0 and leaves no socket', async (t) => {
  const { start, runDir } = scene(t, alone)
  const { child, line, ended, control, stderr } = start('rates')
  await line('started')
  const client = await control()
  const slow = client.act('role:rates,cmd:slow,ms:200')
  await client.act('role:rates,cmd:get')
  child.kill('SIGTERM')
  t.equal(await slow, 'slow', 'what ran was finished')
  t.strictSame(await ended, [0, null])
  await line('rates closed')
  t.strictSame(readdirSync(runDir), [])
  t.equal(stderr(), '')
})

t.test('it tells over HTTP that it starts, takes work and drains', async (t) => {
  const { start } = scene(t, { split: { groups: { rates: ['rates', 'gated'] } } })
  const port = await freePort()
  const ask = (path: string) =>
    fetch(`http://127.0.0.1:${port}${path}`).then(
      async (response) => `${response.status} ${((await response.json()) as { status: string }).status}`,
      () => 'nobody',
    )
  const becomes = async (wanted: string) => {
    let seen = ''
    await until(async () => {
      seen = await ask('/ready')
      return seen === wanted
    }, 10_000)
    t.equal(seen, wanted)
  }
  const { child, line, ended, control } = start('rates', { LUCILIUS_HEALTH_PORT: String(port) })
  await line('gate is shut')
  await becomes('503 starting')
  t.equal(await ask('/health'), '200 starting', 'it lives')
  child.kill('SIGUSR2')
  await becomes('200 ready')
  const slow = (await control()).act('role:rates,cmd:slow,ms:500')
  await line('slow runs')
  child.kill('SIGTERM')
  await becomes('503 draining')
  t.equal(await slow, 'slow')
  t.strictSame(await ended, [0, null])
  t.equal(await ask('/health'), 'nobody')
})

t.test('SIGINT does the same', async (t) => {
  const { start } = scene(t, alone)
  const { child, line, ended } = start('rates')
  await line('started')
  child.kill('SIGINT')
  t.strictSame(await ended, [0, null])
})

t.test('a signal while it starts is not lost', async (t) => {
  const { start, folder } = scene(t, { split: { groups: { late: ['rates'] } } })
  writeFileSync(
    join(folder, 'rates.mjs'),
    `export default (app) => { app.onReady(() => { app.log.info('in hook'); return new Promise((go) => setTimeout(go, 200)) }) }`,
  )
  const { child, line, ended } = start('late')
  await line('in hook')
  child.kill('SIGTERM')
  t.strictSame(await ended, [0, null])
})

t.test('a signal while it starts ends it within a second or so, though a hook hangs', async (t) => {
  const { start, folder, runDir } = scene(t, { split: { groups: { late: ['rates'] } } })
  writeFileSync(
    join(folder, 'rates.mjs'),
    `export default (app) => { app.onReady(() => { app.log.info('in hook'); return new Promise(() => {}) }) }`,
  )
  const { child, line, ended, stderr } = start('late')
  await line('in hook')
  const began = performance.now()
  child.kill('SIGTERM')
  t.strictSame(await ended, [0, null])
  t.ok(performance.now() - began < 5000)
  t.equal(stderr(), '')
  t.notOk(existsSync(runDir) && readdirSync(runDir).length > 0)
})

t.test('an uncaught error during the drain ends the process with 1', async (t) => {
  const { start, folder } = scene(t, alone)
  writeFileSync(
    join(folder, 'rates.mjs'),
    `export default (app) => {
      app.onClose(async () => {
        setTimeout(() => { throw new Error('out of nowhere') })
        await new Promise((resolve) => setTimeout(resolve, 50))
      })
    }`,
  )
  const { child, line, ended } = start('rates')
  await line('started')
  child.kill('SIGTERM')
  t.strictSame(await ended, [1, null])
  t.match(await line('uncaught exception: this process drains and ends'), { level: 60 })
})

t.test('what services start does not get the secret', async (t) => {
  const { start, folder } = scene(t, alone)
  writeFileSync(
    join(folder, 'rates.mjs'),
    `export default (app) => { app.log.info('LUCILIUS_SECRET' in process.env ? 'it is there' : 'none is there') }`,
  )
  const { child, line, ended } = start('rates', { LUCILIUS_SECRET: SECRET })
  await line('none is there')
  await line('started')
  child.kill('SIGTERM')
  t.strictSame(await ended, [0, null])
})

t.test('what hangs is named, and the process ends with 1', async (t) => {
  const { start, runDir } = scene(t, alone)
  const { child, line, ended, control, stderr } = start('rates', { LUCILIUS_DRAIN_MS: '100' })
  await line('started')
  const client = await control()
  const hung = t.rejects(client.act('role:rates,cmd:hang'))
  await client.act('role:rates,cmd:get')
  child.kill('SIGTERM')
  t.strictSame(await ended, [1, null])
  t.equal(stderr(), 'lucilius: after 100 ms there still ran cmd:hang,role:rates\n')
  await hung
  t.strictSame(readdirSync(runDir), [])
})

for (const [signal, code] of [
  ['SIGTERM', 143],
  ['SIGINT', 130],
] as const) {
  t.test(`a second signal ends it at once: ${signal} with ${code}`, async (t) => {
    const { start, runDir } = scene(t, alone)
    const { child, line, ended, control } = start('rates')
    await line('started')
    const client = await control()
    const hung = t.rejects(client.act('role:rates,cmd:hang'))
    await client.act('role:rates,cmd:get')
    child.kill('SIGTERM')
    await line('draining')
    const began = performance.now()
    // One that comes within 250 ms counts as the same: npm passes on what a terminal sends to all.
    const again = setInterval(() => child.kill(signal), 100)
    t.teardown(() => clearInterval(again))
    t.strictSame(await ended, [code, null])
    t.ok(performance.now() - began < 2000)
    await hung
    t.strictSame(readdirSync(runDir), [], 'the socket is gone all the same')
  })
}

for (const [cmd, text, origin] of [
  ['throw', 'out of nowhere', 'uncaught exception'],
  ['reject', 'nobody listens', 'unhandled rejection'],
] as const) {
  t.test(`an ${origin} is logged as fatal; what runs is finished, and the process ends with 1`, async (t) => {
    const { start } = scene(t, alone)
    const { line, ended, control, lines, stderr } = start('rates')
    await line('started')
    const client = await control()
    const slow = client.act('role:rates,cmd:slow,ms:200')
    await client.act(`role:rates,cmd:${cmd}`)
    t.equal(await slow, 'slow')
    t.strictSame(await ended, [1, null])
    const fatal = lines.find(({ level }) => level === 60)
    t.match(fatal, { msg: `${origin}: this process drains and ends`, err: { message: text, stack: String } })
    t.equal(stderr(), `lucilius: ${origin}: ${text}\n`)
    await line('rates closed')
  })
}

t.test('what cannot be closed in order is told, and the process ends with 1', async (t) => {
  const { start } = scene(t, { split: { groups: { broken: ['broken'] } } })
  const { child, line, ended, stderr } = start('broken')
  await line('started')
  child.kill('SIGTERM')
  t.strictSame(await ended, [1, null])
  t.match(stderr(), /^lucilius: Plugin 'broken': its onClose hook failed: will not close\n$/)
})

t.test('two groups find each other by the environment, over either transport', async (t) => {
  for (const transport of ['websocket', 'http']) {
    const { start } = scene(t, { split: { transport, groups: { rates: ['rates'], convert: ['convert'] } } })
    const ports = [await freePort(), await freePort()]
    const url = (port: number | undefined) =>
      transport === 'http' ? `http://127.0.0.1:${port}` : `ws://127.0.0.1:${port}/ws`
    const env = {
      LUCILIUS_SECRET: SECRET,
      LUCILIUS_PEERS_RATES: url(ports[0]),
      LUCILIUS_PEERS_CONVERT: url(ports[1]),
    }
    const convert = start('convert', { ...env, LUCILIUS_PORT: String(ports[1]) })
    await convert.line('started')
    const rates = start('rates', { ...env, LUCILIUS_PORT: String(ports[0]) })
    await rates.line('started')
    // The newest would be that of rates: both know both.
    const client = await rates.control()
    t.equal(await client.act('role:convert,amount:10', { timeoutMs: 5000 }), 9)
    t.match(await client.about(), {
      name: 'shop',
      what: 'start-split-rates',
      pid: rates.child.pid,
      processes: [
        { id: 'convert', url: url(ports[1]) },
        { id: 'rates', pid: rates.child.pid, url: url(ports[0]), doors: [] },
      ],
    })
    for (const { child } of [convert, rates]) child.kill('SIGTERM')
    t.strictSame(await convert.ended, [0, null])
    t.strictSame(await rates.ended, [0, null])
  }
})

t.test('over NATS two groups find each other with no more than where that is', { skip }, async (t) => {
  const { start } = scene(t, { split: { transport: 'nats', groups: { rates: ['rates'], convert: ['convert'] } } })
  const broker = await startNats(t)
  const env = { LUCILIUS_NATS_URL: broker.url }
  const groups = [start('convert', env), start('rates', env)]
  for (const group of groups) await group.line('started')
  const [, rates] = groups
  const client = await rates?.control()
  t.equal(await client?.act('role:convert,amount:10', { timeoutMs: 5000 }), 9)
  for (const { child, ended, lines } of groups) {
    child.kill('SIGTERM')
    t.strictSame(await ended, [0, null])
    t.strictSame(
      lines.filter(({ level }) => level > 30),
      [],
      'and nothing is odd about it',
    )
  }
})

t.test('what keeps it from starting is told in one line', async (t) => {
  const { start, folder } = scene(t, {
    split: { groups: { rates: ['rates'], convert: ['convert'] } },
    fixed: { groups: { rates: { services: ['rates'], listen: { port: 7401 } }, convert: ['convert'] } },
  })
  const fails = async (what: RegExp, group: string, env: NodeJS.ProcessEnv = {}, deployment?: string) => {
    const { ended, stderr, lines } = start(group, env, deployment)
    t.strictSame(await ended, [2, null])
    t.match(stderr(), what)
    t.match(stderr(), /^lucilius: [^\n]*\n$/)
    t.strictSame(lines, [])
  }
  const secret = { LUCILIUS_SECRET: SECRET }
  await fails(/There is no deployment 'spilt': did you mean 'split'\? \(LUC_OPTIONS_INVALID\)/, 'rates', {}, 'spilt')
  await fails(/There is no group 'gateway': there are rates, convert \(LUC_OPTIONS_INVALID\)/, 'gateway')
  await fails(/'convert' is one of several processes .* Make one: openssl rand -base64 32/, 'convert', {}, 'fixed')
  await fails(/where replica 1 of 'convert' is: its 'listen.port' is 0. Set LUCILIUS_PEERS_CONVERT to/, 'rates', secret)
  await fails(/LUCILIUS_PORT: a whole number/, 'rates', { LUCILIUS_PORT: 'x' })
  writeFileSync(join(folder, 'rates.mjs'), 'export default (app) => { throw new Error("no luck") }')
  const peers = { ...secret, LUCILIUS_PEERS_CONVERT: 'ws://127.0.0.1:1/ws' }
  await fails(/'rates'.*no luck \(LUC_PLUGIN_FAILED\)/, 'rates', peers)
})

t.test('a folder for sockets that cannot be used is a warning, and no reason to stay away', async (t) => {
  const { start, runDir } = scene(t, alone)
  writeFileSync(runDir, 'a file')
  const { child, line, lines, ended } = start('rates', { LUCILIUS_ODD: '1' })
  await line('started')
  t.match(await line('commands cannot reach this process'), { level: 40 })
  t.match(lines[0], { level: 40, msg: /^LUCILIUS_ODD: lucilius reads no such variable/ })
  child.kill('SIGTERM')
  t.strictSame(await ended, [0, null])
  t.ok(existsSync(runDir))
})

t.test('addresses come from the environment, else from urls, else from host and port', async (t) => {
  const book = (groups: DeploymentDescription['groups'], group: string, variables: object = {}, replica = 1) => {
    const deployment = deploymentOf({ transport: 'websocket', groups })
    const environment = readEnvironment(variables as NodeJS.ProcessEnv)
    const { process, addresses } = startPlan(deployment, deployment.groups.get(group) as Group, replica, environment)
    return { id: process.id, port: process.port, urls: addresses.ids().map((id) => [id, addresses.urlOf(id)]) }
  }
  const groups = {
    rates: { services: ['rates'], replicas: 2, listen: { port: 7401 } },
    convert: { services: ['convert'], listen: { urls: ['ws://convert:1/ws'] } },
  }
  t.strictSame(book(groups, 'convert'), {
    id: 'convert',
    port: 0,
    urls: [
      ['rates.1', 'ws://127.0.0.1:7401/ws'],
      ['rates.2', 'ws://127.0.0.1:7402/ws'],
      ['convert', undefined],
    ],
  })
  t.strictSame(book(groups, 'rates', { LUCILIUS_PEERS_CONVERT: 'ws://a/ws, ws://b/ws' }, 2), {
    id: 'rates.2',
    port: 7402,
    urls: [
      ['rates.1', 'ws://127.0.0.1:7401/ws'],
      ['convert.1', 'ws://a/ws'],
      ['convert.2', 'ws://b/ws'],
      ['rates.2', undefined],
    ],
  })
  const own = { LUCILIUS_PEERS_RATES: 'ws://r1:7401/ws,ws://r2:7401/ws', LUCILIUS_PEERS_CONVERT: 'ws://a/ws' }
  t.equal(book(groups, 'rates', own, 2).port, 7401, 'a machine of its own')
  t.throws(() => book(groups, 'rates', { LUCILIUS_PEERS_CONVERT: 'http://a' }), {
    code: 'LUC_OPTIONS_INVALID',
    message: /^LUCILIUS_PEERS_CONVERT: an address begins with ws:/,
  })
  const everywhere = { ...groups, convert: { services: ['convert'], listen: { host: '0.0.0.0', port: 1 } } }
  t.throws(() => book(everywhere, 'rates'), {
    code: 'LUC_OPTIONS_INVALID',
    message: /'convert' is: it listens on 0\.0\.0\.0, which is no address to connect to\. Set LUCILIUS_PEERS_CONVERT/,
  })
  const free = { rates: ['rates'], convert: { services: ['convert'], listen: { port: 2 } } }
  t.throws(() => book(free, 'rates', {}, 3), {
    code: 'LUC_OPTIONS_INVALID',
    message: /^'rates' has 1 replica, and this would be replica 3\. Nobody knows where replica 1 of 'rates' is/,
  })
  const apart = {
    rates: { services: ['rates'], peers: [] },
    convert: ['convert'],
  }
  t.strictSame(book(apart, 'rates').urls, [['rates', undefined]], 'who is not linked needs no address')
  const local = deploymentOf({
    transport: 'http',
    groups: { rates: { services: ['rates'], listen: { host: '::1', port: 9 } }, convert: ['convert'] },
  })
  const { addresses } = startPlan(local, local.groups.get('convert') as Group, 1, readEnvironment({}))
  t.equal(addresses.urlOf('rates'), 'http://[::1]:9')
})

t.test('where a broker leads to all, nobody has to know where they are; who does is met directly, too', async (t) => {
  const groups = {
    rates: { services: ['rates'], listen: { port: 7401 } },
    convert: { services: ['convert'], replicas: 2 },
  }
  const planOf = (rest: Omit<DeploymentDescription, 'groups'>, variables: NodeJS.ProcessEnv = {}) => {
    const deployment = deploymentOf({ ...rest, groups })
    const market = deployment.groups.get('rates') as Group
    const { addresses, unaddressed } = startPlan(deployment, market, 1, readEnvironment(variables))
    return { urls: addresses.ids().map((id) => addresses.urlOf(id)), unaddressed: [...unaddressed] }
  }
  const ids = ['convert.1', 'convert.2']
  t.strictSame(planOf({ transport: 'nats' }), { urls: [undefined, undefined, undefined], unaddressed: ids })
  const mixed = { transport: 'websocket', routes: [{ match: 'role:rates', via: 'nats' }] } as const
  t.strictSame(planOf(mixed).unaddressed, ids)
  const peers = { LUCILIUS_PEERS_CONVERT: 'ws://a/ws,ws://b/ws' }
  t.strictSame(planOf(mixed, peers), { urls: ['ws://a/ws', 'ws://b/ws', undefined], unaddressed: [] })
  t.throws(() => planOf({}), { code: 'LUC_OPTIONS_INVALID' }, 'without a broker they have to be known')
})

t.test('where processes find each other, one that needs another to get ready waits for it', async (t) => {
  const groups = { warm: ['warm'], rates: ['rates'] }
  const { start } = scene(t, { lan: { discovery: { multicast: await freeMulticast() }, groups } })
  const env = { LUCILIUS_SECRET: SECRET }
  const warm = start('warm', env, 'lan')
  const waits = await warm.line('could not start, as somebody it asks is not there yet: trying again')
  t.match(waits, { level: 40, groups: ['rates'], why: /^Plugin 'warm': its onReady hook failed: .* within \d+ ms\.$/ })
  t.notOk('err' in waits, 'no stack')
  const told = start('warm', env, 'lan')
  await told.line('could not start, as somebody it asks is not there yet: trying again')
  told.child.kill('SIGTERM')
  t.strictSame(await told.ended, [0, null], 'one that is told to end does so meanwhile')
  await start('rates', env, 'lan').line('started')
  t.match(await warm.line('could start now: whom it asked is there'), { level: 30 })
  await warm.line('started')
  t.equal(warm.lines.filter(({ level }) => level === 40).length, 1, 'told once, however often it has tried')
  t.equal(warm.lines.filter(({ msg }) => msg === 'listening').length, 1, 'and no try but the first says what it does')
  warm.child.kill('SIGTERM')
  t.strictSame(await warm.ended, [0, null])

  const sure = scene(t, { split: { groups: { warm: { services: ['warm'], listen: { port: await freePort() } } } } })
  t.strictSame(await sure.start('warm', env).ended, [2, null], 'elsewhere it is a mistake, and told')
})

t.test('a hushed logger tells what failed, and all else once it may speak', (t) => {
  const lines: string[] = []
  const { log, speak } = hushed(jsonLogger({ write: (line) => lines.push(JSON.parse(line).msg) }))
  const child = log.child({ service: 'warm' })
  for (const when of ['before', 'after']) {
    for (const level of ['debug', 'info', 'warn', 'error'] as const) child[level](`${level} ${when}`)
    speak()
  }
  t.strictSame(lines, ['error before', 'info after', 'warn after', 'error after'])
  t.end()
})

t.test('hosts and ports of the environment stand in place of those described', async (t) => {
  const outside = [
    { transport: 'websocket', port: 1, expose: '*' },
    { transport: 'http', port: 2, expose: '*' },
    { transport: 'http', port: 3, expose: '*' },
  ] as const
  const deployment = deploymentOf({ groups: { rates: { services: ['rates'], outside } } })
  const group = deployment.groups.get('rates') as Group
  const plan = startPlan(deployment, group, 1, readEnvironment({})).process
  const environment = readEnvironment({
    LUCILIUS_HOST: '0.0.0.0',
    LUCILIUS_PORT: '7400',
    LUCILIUS_HTTP_PORT: '8080',
    LUCILIUS_WEBSOCKET_HOST: '::1',
  })
  const changed = overridden(plan, environment)
  t.match(changed, { port: 7400, group: { listen: { host: '0.0.0.0' } } })
  t.strictSame(
    changed.outside.map(({ host, port }) => `${host} ${port}`),
    ['::1 1', '127.0.0.1 8080', '127.0.0.1 3'],
  )
  t.strictSame(overridden(plan, readEnvironment({})), plan)
})

t.test('signals and errors are let go of', async (t) => {
  const before = process.listenerCount('SIGTERM')
  const end = processEnd(silentLogger)
  t.equal(process.listenerCount('SIGTERM'), before + 1)
  end.dispose()
  t.equal(process.listenerCount('SIGTERM'), before)
})

function deploymentOf(split: DeploymentDescription): Deployment {
  return defineSystem({
    services: { rates: './rates.js', convert: './convert.js' },
    root: '/',
    deployments: { split: split as never },
  }).deployments.get('split') as Deployment
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}
