import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { lucilius } from './fake-io.js'

const main = fileURLToPath(new URL('../../lib/cli/main.js', import.meta.url))

type Files = { readonly [path: string]: string }

/** The system into which faults are planted: what has no fault is `services` and `groups` of it. */
const services = {
  rates: "{ module: './services/rates.mjs', uses: ['role:rates,event:changed'] }",
  convert: "{ module: './services/convert.mjs', uses: ['role:rates,cmd:get'] }",
  shop: "{ module: './services/shop.mjs', uses: ['role:convert,cmd:amount'] }",
}
const groups = {
  rates: "{ services: ['rates'], listen: { port: 7101 } }",
  convert: "{ services: ['convert'], replicas: 2, listen: { port: 7102 } }",
  shop: "{ services: ['shop'], outside: { transport: 'http', port: 8080, expose: ['role:shop,cmd:buy'] } }",
}
const modules: Files = {
  'services/rates.mjs': `export function rates(app) {
    app.add('role:rates,cmd:get', () => 1)
    app.add('role:rates,cmd:set', (message, { emit }) => emit('role:rates,event:changed'))
  }`,
  'services/convert.mjs': `export default (app) => {
    app.on('role:rates,event:changed', () => {})
    app.add('role:convert,cmd:amount', { idempotent: true }, (message, { act }) => act('role:rates,cmd:get'))
  }`,
  'services/shop.mjs': `export default (app) => {
    app.onReady(() => console.log('STARTED'))
    app.add('role:shop,cmd:buy', (message, { act }) => act('role:convert,cmd:amount', message))
  }`,
}

interface Fault {
  readonly services?: { readonly [name: string]: string }
  readonly groups?: { readonly [name: string]: string }
  readonly files?: Files
}

/** The ten faults, and what the plan says of each. */
const faults: { readonly [title: string]: Fault & { readonly says: RegExp; readonly code: number } } = {
  'a message without a home': {
    services: { shop: "{ module: './services/shop.mjs', uses: ['role:post,cmd:send'] }" },
    says: /error MISSING_HOME at services\.shop\.uses\[0\]\n.*'cmd:send,role:post', which 'shop' sends/,
    code: 1,
  },
  'a typing error in a pattern': {
    services: { shop: "{ module: './services/shop.mjs', uses: ['role:convert,cmd:amuont'] }" },
    says: /error MISSING_HOME .*\n.*Did you mean 'cmd:amount,role:convert'\?/,
    code: 1,
  },
  'a group that is out of reach': {
    groups: { shop: "{ services: ['shop'], peers: ['rates'] }" },
    says: /error UNREACHABLE at services\.shop\.uses\[0\]\n.*The group 'shop' .*'cmd:amount,role:convert' of 'convert'/,
    code: 1,
  },
  'a secret action that is exposed': {
    services: { rates: "{ module: './services/rates.mjs', internal: ['role:rates,cmd:set'] }" },
    groups: {
      rates: "{ services: ['rates'], outside: { transport: 'http', port: 8081, expose: ['role:rates,cmd:*'] } }",
    },
    says: /error EXPOSED_INTERNAL at deployments\.split\.groups\.rates\.outside\.expose\n.*'cmd:set,role:rates' of 'rates'/,
    code: 1,
  },
  'a pattern that another service adds, too': {
    services: { cheap: "'./services/cheap.mjs'" },
    groups: { cheap: "['cheap']" },
    files: { 'services/cheap.mjs': "export default (app) => app.add('cmd:amount, role:convert', () => 0)" },
    says: /error SHADOWED at services\.cheap\n.*'convert' and 'cheap' add 'cmd:amount,role:convert'/,
    code: 1,
  },
  'a port that two processes want': {
    groups: {
      shop: "{ services: ['shop'], outside: { transport: 'http', port: 7103, expose: ['role:shop,cmd:buy'] } }",
    },
    says: /error PORT_CLASH at deployments\.split\.groups\.shop\n.*'convert\.2' and the http door of 'shop' both want port 7103/,
    code: 1,
  },
  'a service that there is not': {
    groups: { shop: "['shpo']" },
    says: /error UNKNOWN_SERVICE at deployments\.split\.groups\.shop\[0\]\n.*'shpo'.*'shop'/,
    code: 1,
  },
  'groups that ask each other in a circle': {
    services: { rates: "{ module: './services/rates.mjs', uses: ['role:shop,cmd:buy'] }" },
    says: /warning CYCLE at deployments\.split\.groups\n.*'rates' acts on 'shop'.*'shop' acts on 'convert'.*'convert' acts on 'rates'/,
    code: 0,
  },
  'replicas of a singleton': {
    services: { convert: "{ module: './services/convert.mjs', singleton: true }" },
    says: /error SINGLETON_REPLICATED at deployments\.split\.groups\.convert\.replicas\n/,
    code: 1,
  },
  'a secret that is missing': {
    groups: { rates: "{ services: ['rates'], listen: { host: '0.0.0.0', port: 7101 } }" },
    says: /error SECRET_MISSING at deployments\.split\.groups\.rates\.listen\n.*LUCILIUS_SECRET/,
    code: 1,
  },
}

for (const [title, { says, code, ...fault }] of Object.entries(faults)) {
  t.test(`plan finds ${title}`, async (t) => {
    const found = await plan(folder(t, fault), ['split'])
    t.match(found.printed, says)
    t.match(found.printed, /^Findings: 1 (error|warning)$/m, 'and nothing else')
    t.equal(found.code, code)
    t.equal(found.complaints, '')
  })
}

t.test('plan says who runs where, what crosses and what is open, and starts nothing', async (t) => {
  const { code, printed, complaints } = await command(folder(t), [])
  t.equal(printed, `${expected}\n`)
  t.equal(complaints, '')
  t.equal(code, 0)
})

const expected = `Deployment split: 4 processes, websocket between them

Processes
  rates      rates    127.0.0.1:7101
  convert.1  convert  127.0.0.1:7102
  convert.2  convert  127.0.0.1:7103
  shop       shop     a free port of 127.0.0.1

Messages that cross a process
  rates: rates      emits  event:changed,role:rates  -> convert: convert
  convert: convert  acts   cmd:get,role:rates        -> rates: rates
  shop: shop        acts   cmd:amount,role:convert   -> convert: convert

Open to clients
  shop: http, 127.0.0.1:8080, everybody who gets there
    cmd:buy,role:shop  shop

Open to peers
  All actions and subscriptions of a process, to the processes that it is linked to.
  They know each other by LUCILIUS_SECRET: 'up' makes one, 'start' needs it, the same for all.
  rates    - convert
  rates    - shop
  convert  - shop

Nothing is wrong with what is declared.`

t.test('plan finds what is wrong with brokers, routes and stores', async (t) => {
  const groups = "groups: { order: ['order'], notify: ['notify'] }"
  const files = {
    'lucilius.config.mjs': `export default {
      services: {
        order: { module: './order.mjs', uses: ['role:order,event:created'] },
        notify: { module: './notify.mjs', uses: [] },
      },
      deployments: {
        fine: { transport: 'nats', ${groups} },
        one: { groups: { all: '*' } },
        unkept: { ${groups} },
        shared: { store: 'embedded', ${groups} },
        idle: { transport: 'nats', routes: [{ match: 'role:ordre', via: 'amqp' }], ${groups} },
        lost: { transport: 'amqp', groups: { order: { services: ['order'], listen: { host: '0.0.0.0' } }, notify: ['notify'] } },
        deaf: { groups: { all: ['notify'] } },
      },
    }`,
    'order.mjs': `export default (app) => {
      app.event('role:order,event:created', { durable: true })
      app.add('role:order,cmd:place', (message, { emit }) => emit('role:order,event:created', { id: 1 }))
    }`,
    'notify.mjs': `export default (app) => {
      app.on('role:order,event:created', { durable: 'outbox' }, () => {})
    }`,
  }
  const { code, printed } = await plan(folder(t, { files }), ['--json'])
  const found: { deployment: string; findings: { level: string; code: string }[] }[] = JSON.parse(printed).plans
  t.strictSame(
    found.map(({ deployment, findings }) => [deployment, ...findings.map(({ level, code }) => `${level} ${code}`)]),
    [
      ['fine'],
      ['one'],
      ['unkept', 'error STORE_MISSING'],
      ['shared', 'error STORE_SHARED'],
      ['idle', 'warning ROUTE_IDLE'],
      ['lost', 'error BROKER_UNKNOWN'],
      ['deaf', 'warning SERVICE_NOWHERE', 'warning NEVER_STORED'],
    ],
  )
  t.equal(code, 1)
  const { printed: shown } = await plan(folder(t, { files }), ['fine'])
  t.match(shown, /^Kept until they are handled\n {2}by nats\n {2}order +declares +event:created,role:order +durable$/m)
  t.match(shown, /-> notify: notify +from the store$/m)
  t.match(shown, /^ {2}Over nats, which says who may come in\.$/m)
})

t.test('plan --json is a plan for programs', async (t) => {
  const { code, printed } = await plan(folder(t, faults['a message without a home']), ['split', '--json'])
  t.match(JSON.parse(printed), {
    plans: [{ deployment: 'split', processes: { length: 4 }, findings: [{ level: 'error', code: 'MISSING_HOME' }] }],
    findings: [],
  })
  t.equal(code, 1)
  const unplanned = await plan(folder(t, faults['a service that there is not']), ['--json'])
  t.match(JSON.parse(unplanned.printed), { plans: [], findings: [{ code: 'UNKNOWN_SERVICE' }] })
})

t.test('plan is plain in a pipe, and coloured where somebody asks for it', async (t) => {
  const place = folder(t, faults['a message without a home'])
  t.notMatch((await command(place, [])).printed, /\p{Cc}(?<!\n)/u)
  t.match((await command(place, [], { FORCE_COLOR: '1' })).printed, '\u001b[31merror')
})

t.test('plan --strict counts warnings', async (t) => {
  const { code } = await plan(folder(t, faults['groups that ask each other in a circle']), ['--strict'])
  t.equal(code, 1)
})

t.test('plan checks the messages of a recorded run', async (t) => {
  const lines = [
    { service: 'shop', kind: 'act', message: { role: 'rates', cmd: 'get' } },
    { service: 'shop', kind: 'act', message: { role: 'rates', cmd: 'gte' } },
  ]
  const place = folder(t, { files: { 'run.ndjson': lines.map((line) => `${JSON.stringify(line)}\n`).join('') } })
  const { code, printed } = await plan(place, ['--from-trace', 'run.ndjson'])
  t.match(printed, /error MISSING_HOME at services\.shop\.uses\n.*'cmd:gte,role:rates'/)
  t.match(printed, /warning UNDECLARED at services\.shop\.uses\n.*'shop' acted on 'cmd:get,role:rates'/)
  t.equal(code, 1)
  const broken = await plan(folder(t, { files: { 'run.ndjson': '{"service":1}\n' } }), ['--from-trace', 'run.ndjson'])
  t.match(broken.complaints, /^lucilius: .*run\.ndjson:1.*\n$/)
  t.equal(broken.code, 2)
})

t.test('plan tells a service that cannot be loaded, in a line', async (t) => {
  const files = { 'services/shop.mjs': "export default () => { throw new Error('out of paper') }" }
  const { code, printed, complaints } = await command(folder(t, { files }), [])
  t.match(printed, /error LOAD_FAILED at services\.shop\n.*out of paper/)
  t.match(printed, /^Findings: 1 error$/m)
  t.equal(complaints, '')
  t.equal(code, 1)
})

t.test('what can be set up only once in a process is, also where a service fails', async (t) => {
  const once = `let isThere = false
    export default (app) => {
      if (isThere) throw new Error('registered twice')
      isThere = true
      app.add('role:metrics', () => 1)
    }`
  const plugins = "plugins: { metrics: './metrics.mjs' },"
  const fine = await command(folder(t, { files: { 'metrics.mjs': once } }, plugins), [])
  t.notMatch(fine.printed, /LOAD_FAILED/)
  t.equal(fine.code, 0)
  const files = { 'metrics.mjs': once, 'services/shop.mjs': "export default () => { throw new Error('out of paper') }" }
  const { printed } = await command(folder(t, { files }, plugins), [])
  t.match(printed, /error LOAD_FAILED at services\.shop\n.*out of paper/)
  t.match(printed, /^Findings: 1 error$/m)
})

t.test('a plan closes what it has set up', async (t) => {
  const files = {
    'services/shop.mjs':
      "export default (app) => { app.add('role:shop,cmd:buy', () => 1); app.onClose(() => console.log('CLOSED')) }",
  }
  t.match((await command(folder(t, { files }), [])).complaints, /CLOSED/)
})

t.test('a service that needs another one is planned with it', async (t) => {
  const shop = "{ name: 'shop', needs: ['rates'], setup: (app) => app.add('role:shop,cmd:buy', () => 1) }"
  const files = { 'services/shop.mjs': `export default ${shop}` }
  const { code, printed } = await plan(folder(t, { files }), [])
  t.match(printed, /error NEED_MISSING at deployments\.split\.groups\.shop\n.*'shop' needs 'rates'/)
  t.match(printed, /^Findings: 1 error$/m)
  t.equal(code, 1)
  const behind = "{ shop: { module: './services/shop.mjs' }, rates: { module: './services/rates.mjs' } }"
  const config = `export default { services: ${behind}, deployments: { one: { groups: { all: ['rates', 'shop'] } } } }`
  const one = await plan(folder(t, { files: { ...files, 'lucilius.config.mjs': config } }), [])
  t.equal(one.code, 0, 'wherever it stands in the description')
})

t.test('what a plugin of the system adds is in every process, and no service of its own', async (t) => {
  const files = {
    'policy.mjs': "export default (app) => { app.add('role:policy', () => 1); app.wrap('', (next) => next) }",
    'services/shop.mjs':
      "export default (app) => { app.use(function inner(app) { app.add('role:shop,cmd:buy', () => 1) }) }",
  }
  const { code, printed } = await plan(folder(t, { files }, "plugins: { policy: './policy.mjs' },"), ['--json'])
  const [{ findings, services: planned, doors }] = JSON.parse(printed).plans
  t.strictSame(findings, [])
  t.strictSame(
    planned.map(({ actions }: { actions: string[] }) => actions),
    [['cmd:get,role:rates', 'cmd:set,role:rates'], ['cmd:amount,role:convert'], ['cmd:buy,role:shop']],
  )
  t.strictSame(
    doors[0].actions,
    [{ pattern: 'cmd:buy,role:shop', service: 'shop' }],
    'what a plugin within adds is of the service',
  )
  t.equal(code, 0)
})

t.test('without a description every module in services is planned, in one process', async (t) => {
  const place = folder(t)
  rmSync(join(place, 'lucilius.config.mjs'))
  const { code, printed } = await plan(place, [])
  t.match(printed, /^Deployment all: 1 process$/m)
  t.match(printed, /^Not checked, as they do not say what they use\n {2}convert, rates, shop$/m)
  t.equal(code, 0)
})

t.test('a deployment that there is not, and a description that is wrong otherwise, are wrong usage', async (t) => {
  const unknown = await plan(folder(t), ['spilt'])
  t.match(unknown.complaints, /^lucilius: There is no deployment 'spilt': did you mean 'split'\?.*\n$/)
  t.equal(unknown.code, 2)
  const wrong = await plan(folder(t, { groups: { shop: "{ services: ['shpo'], replicas: 0 }" } }), [])
  t.match(wrong.complaints, /^lucilius: .*replicas.*\n$/)
  t.equal(wrong.code, 2)
})

t.test('a description that cannot be loaded is a failure, as any file of the system is', async (t) => {
  for (const text of ["throw new Error('at the top')", 'export default {']) {
    const { code, complaints } = await command(folder(t, { files: { 'lucilius.config.mjs': text } }), [])
    t.match(complaints, /^lucilius: .*lucilius\.config\.mjs.*\n$/)
    t.equal(code, 1)
  }
})

/** A folder with the system, a fault planted. */
function folder(t: Test, { services: other, groups: placed, files }: Fault = {}, more = ''): string {
  const place = mkdtempSync(join(tmpdir(), 'lucilius-plan-'))
  t.teardown(() => rmSync(place, { recursive: true, force: true }))
  const entries = (all: object) =>
    Object.entries(all)
      .map(([name, text]) => `${name}: ${text}`)
      .join(', ')
  const description = `services: { ${entries({ ...services, ...other })} }, ${more}
    deployments: { split: { groups: { ${entries({ ...groups, ...placed })} } } }`
  const all = { 'lucilius.config.mjs': `export default { ${description} }`, ...modules, ...files }
  for (const [path, text] of Object.entries(all)) {
    mkdirSync(dirname(join(place, path)), { recursive: true })
    writeFileSync(join(place, path), text)
  }
  return place
}

interface Planned {
  readonly code: number
  readonly printed: string
  readonly complaints: string
}

/** Runs the command in this process, which takes a tenth of the time: for systems that print nothing themselves. */
async function plan(cwd: string, args: readonly string[]): Promise<Planned> {
  const { code, stdout, stderr } = await lucilius(['plan', ...args], { cwd })
  return { code, printed: stdout, complaints: stderr }
}

/** Runs the real command. */
function command(cwd: string, args: readonly string[], variables: NodeJS.ProcessEnv = {}): Promise<Planned> {
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(LUCILIUS_|FORCE_COLOR|NO_COLOR)/.test(name)),
  )
  return new Promise((resolve) => {
    const done = (error: { code?: unknown } | null, printed: string, complaints: string) =>
      resolve({ code: error === null ? 0 : Number(error.code), printed, complaints })
    execFile(process.execPath, [main, 'plan', ...args], { cwd, env: { ...env, ...variables }, timeout: 30_000 }, done)
  })
}
