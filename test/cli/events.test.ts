import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { Io } from '../../lib/cli/io.js'
import { moment } from '../../lib/cli/print/moment.js'
import { lucilius as makeApp } from '../../lib/index.js'
import type { DeadLetter, StoreAdmin, SubscriptionReport } from '../../lib/store.js'
import { openControl } from '../../lib/system/control/index.js'
import { askingStore } from '../../lib/system/store-questions.js'
import { isOneLine, lucilius } from './fake-io.js'
import { eventually, folderOf, start } from './up-program.js'

const hostile = '\u001b[2J\u009b31m\u202e\u007f'
const at = Date.UTC(2026, 0, 2, 3, 4, 5)

t.test('what runs is asked for its store: what it keeps, and who is behind', async (t) => {
  const { events } = await running(t, [letter('1'), letter('2', 'mail.refused')])

  const { code, stdout, stderr } = await events()

  t.strictSame({ code, stderr }, { code: 0, stderr: '' })
  t.equal(
    stdout,
    `${[
      'store     kept by a test',
      `events    3, 1204 bytes, the oldest of ${moment(at)}`,
      'retained  1',
      '',
      'subscription  pattern                   waiting  running  dead',
      'mail.outbox   event:created,role:order       12        3     1',
      'mail.refused  event:refused,role:order        0        0     1  in order',
    ].join('\n')}\n`,
  )
  const report = JSON.parse((await events('--json')).stdout)
  t.match(report, { events: 3, subscriptions: [{ name: 'mail.outbox', waiting: 12 }, { ordered: true }] })
  t.match(await events('split'), { code: 0, stdout }, 'by the name of the deployment that runs')
})

t.test('dead letters are listed with what failed last, all or those of one subscription', async (t) => {
  const { events } = await running(t, [letter('1'), letter('2', 'mail.refused')])
  const all = await events('dead')
  t.equal(all.code, 0)
  t.equal(
    all.stdout,
    `${[
      `id  when                 subscription  tries  last error`,
      `1   ${moment(at)}  mail.outbox       2  LUC_ACTION_FAILED: The disk is full`,
      `2   ${moment(at)}  mail.refused      2  LUC_ACTION_FAILED: The disk is full`,
    ].join('\n')}\n`,
  )
  t.notMatch((await events('dead', 'mail.refused')).stdout, 'mail.outbox')
  const one = await events('dead', '--limit', '1', '--json')
  t.strictSame(JSON.parse(one.stdout), [letter('1')])
  t.match(one.stderr, 'There are more than 1: see --limit.')
  t.notMatch((await events('dead', '--limit', '2')).stderr, 'more')
})

t.test('where there are none it says so, and a subscription that is not there is told the nearest', async (t) => {
  const { events } = await running(t, [])
  t.match(await events('dead'), { code: 0, stdout: '', stderr: 'lucilius: There are no dead letters.\n' })
  t.match(await events('dead', 'mail.outbox', '--json'), { code: 0, stdout: '[]\n' })
  for (const args of [
    ['dead', 'mail.outbx'],
    ['replay', '--all', '--subscription', 'mail.outbx'],
    ['remove', 'mail.outbx', '--yes'],
  ]) {
    const { code, stderr } = await events(...args)
    t.equal(code, 2, args.join(' '))
    t.match(stderr, "There is no subscription 'mail.outbx': did you mean 'mail.outbox'?")
  }
})

t.test('one is shown with its event and each attempt, and nothing in it can move a cursor', async (t) => {
  const evil = { ...letter('1'), event: { ...letter('1').event, message: { role: 'order', text: `${hostile}\n` } } }
  const { events } = await running(t, [
    { ...evil, failures: [{ at, attempt: 1, message: `one\n   at two${hostile}`, instance: 'i1' }] },
    letter('2'),
  ])
  const { code, stdout } = await events('show', '1')
  t.equal(code, 0)
  t.notMatch(stdout, /[^\P{Cc}\n]|\u202e/u)
  t.match(stdout, /^dead letter +1$/m)
  t.match(stdout, /^subscription +mail\.outbox$/m)
  t.match(stdout, /^key +apple$/m)
  t.match(stdout, /^attempt 1 .* in i1 +one at two/m)
  t.match(JSON.parse((await events('show', '1', '--json')).stdout), { event: { message: { text: `${hostile}\n` } } })
  const list = await events('dead')
  t.notMatch(list.stdout, /[^\P{Cc}\n]|\u202e/u)
  t.equal(list.stdout.split('\n').length, 4, 'a line each')
  t.match((await events('show', '2')).stdout, /^attempt 1 (.|\n)*^attempt 2 .*LUC_ACTION_FAILED: The disk is full$/m)
})

t.test('a dead letter that is not there ends with 1 and where to look, after the others', async (t) => {
  const { events, letters } = await running(t, [letter('1')])
  for (const args of [
    ['show', '9'],
    ['replay', '9'],
    ['drop', '9', '--yes'],
  ]) {
    const { code, stderr } = await events(...args)
    t.equal(code, 1, args.join(' '))
    t.ok(isOneLine(stderr), stderr)
    t.match(stderr, "There is no dead letter '9'. 'lucilius events dead' lists them.")
  }
  t.match(await events('replay', '9', '1'), { code: 1, stdout: 'replayed 1 dead letter\n' })
  t.strictSame(letters.replayed, ['1'])
})

t.test(
  'dead letters are replayed by id, or all that there are at the start, of one subscription if told',
  async (t) => {
    const many = Array.from({ length: 1200 }, (_, index) => letter(String(index)))
    const { events, letters } = await running(t, [...many, letter('a', 'mail.refused'), letter('b', 'mail.refused')])
    t.match(await events('replay', 'a', 'a'), { code: 0, stdout: 'replayed 1 dead letter\n' })
    letters.replayed.length = 0
    const { stdout } = await events('replay', '--all', '--subscription', 'mail.refused', '--json')
    t.strictSame(JSON.parse(stdout), { replayed: ['b'], missing: [] })
    letters.dieAgain = true
    letters.replayed.length = 0
    t.match(await events('replay', '--all'), { code: 0, stdout: 'replayed 1200 dead letters\n' })
    t.equal(letters.replayed.length, 1200, 'each once')
    t.equal(letters.left().length, 1200, 'and they died again')
  },
)

t.test('what is dropped is asked about first, and where nobody is there it wants --yes', async (t) => {
  const { events, eventsFor, letters } = await running(t, [letter('1'), letter('2'), letter('3')])
  const alone = await events('drop', '1')
  t.match(alone, { code: 2, stdout: '', stderr: /^lucilius: Drop 1 dead letter\?.* say --yes\.\n$/ })
  const asked: string[] = []
  const says = (answer: string) => ({
    ask: async (question: string) => {
      asked.push(question)
      return answer
    },
  })
  for (const answer of ['', 'n', 'yesterday']) {
    t.match(await eventsFor(says(answer))('drop', '--all'), { code: 1, stdout: '', stderr: /Nothing is changed/ })
  }
  t.equal(letters.left().length, 3)
  t.match(await eventsFor(says('y'))('drop', '1', '2'), { code: 0, stdout: 'dropped 2 dead letters\n' })
  t.strictSame(
    new Set(asked),
    new Set([
      'Drop 3 dead letters? Nothing brings them back. [y/N] ',
      'Drop 2 dead letters? Nothing brings them back. [y/N] ',
    ]),
  )
  t.strictSame(JSON.parse((await events('drop', '--all', '--yes', '--json')).stdout), { dropped: ['3'], missing: [] })
  t.strictSame(letters.left(), [])
  t.match(await events('drop', '--all'), { code: 0, stdout: 'dropped 0 dead letters\n' }, 'nothing is lost')
})

t.test('a subscription is removed with what waits for it', async (t) => {
  const { events, letters } = await running(t, [letter('1')])
  t.match(await events('remove', 'mail.outbox'), {
    code: 2,
    stderr: /Remove mail\.outbox with 12 waiting events and 1 dead letter\?/,
  })
  t.match(await events('remove', 'mail.outbox', '--yes'), { code: 0, stdout: 'removed mail.outbox\n' })
  t.strictSame(letters.removed, ['mail.outbox'])
})

t.test('dead letters that do not fit into one answer come all the same', async (t) => {
  const big = 'x'.repeat(900_000)
  const heavy = (id: string) => ({ ...letter(id), event: { ...letter(id).event, message: { big } } })
  const { events } = await running(t, ['1', '2', '3', '4', '5', '6'].map(heavy))
  const { code, stdout } = await events('dead', '--json')
  t.equal(code, 0)
  t.strictSame(
    JSON.parse(stdout).map(({ id }: DeadLetter) => id),
    ['1', '2', '3', '4', '5', '6'],
  )
})

t.test('an embedded store is asked through the process that has it open, and opened where nothing runs', async (t) => {
  const up = start(t, ['up'], {}, mailSystem)
  const events = (...args: string[]) => {
    return lucilius(['events', ...args], { cwd: up.folder, env: { LUCILIUS_RUN_DIR: up.runDir } })
  }
  await up.until((line) => line === 'up: 1 process')
  t.match(await events('--json'), { code: 0, stderr: '' })

  writeFileSync(join(up.folder, 'jam'), '')
  await up.act('role:mail,cmd:send,id:m-1')
  await eventually(async () => JSON.parse((await events('--json')).stdout).subscriptions[0].dead === 1)
  t.match((await events('dead')).stdout, /^\S+ +\S+ \S+ +mail\.post +1 +.*paper jam$/m)
  rmSync(join(up.folder, 'jam'))
  t.match(await events('replay', '--all', '--subscription', 'mail.post'), {
    code: 0,
    stdout: 'replayed 1 dead letter\n',
  })
  await up.until((line) => line.endsWith('sent m-1'))

  writeFileSync(join(up.folder, 'jam'), '')
  await up.act('role:mail,cmd:send,id:m-2')
  await eventually(async () => JSON.parse((await events('dead', '--json')).stdout).length === 1)
  up.signal('SIGTERM')
  t.match(await up.ended, { code: 0 })
  const [{ id, event }] = JSON.parse((await events('dead', '--json')).stdout)
  t.match(event, { message: { id: 'm-2' } })
  t.match((await events('show', id)).stdout, 'paper jam')
  t.match(await events('drop', id, '--yes'), { code: 0, stdout: 'dropped 1 dead letter\n' })
  t.match(await events('remove', 'mail.post', '--yes'), { code: 0, stdout: 'removed mail.post\n' })
  t.match(JSON.parse((await events('one', '--json')).stdout), { subscriptions: [] })
})

t.test('a broker that is not there ends with 3 and one line', async (t) => {
  const config = mailSystem['lucilius.config.mjs'].replace("store: 'embedded'", "transport: 'amqp'")
  const folder = folderOf(t, { ...mailSystem, 'lucilius.config.mjs': config })
  const env = { LUCILIUS_RUN_DIR: join(folder, 'run'), LUCILIUS_AMQP_URL: 'amqp://user:word@127.0.0.1:1' }
  const { code, stderr } = await lucilius(['events', 'one'], { cwd: folder, env })
  t.equal(code, 3)
  t.match(stderr, '127.0.0.1:1')
  t.notMatch(stderr, /user|word/)
  t.ok(isOneLine(stderr), stderr)
})

t.test('a store that is not there yet is empty, and looking makes none', async (t) => {
  const folder = folderOf(t, mailSystem)
  const env = { LUCILIUS_RUN_DIR: join(folder, 'run') }
  const { code, stdout } = await lucilius(['events', '--json'], { cwd: folder, env })
  t.equal(code, 0)
  t.match(JSON.parse(stdout), { events: 0, subscriptions: [] })
  t.match(await lucilius(['events'], { cwd: folder, env }), { code: 0, stdout: /No subscription is known/ })
  t.notOk(existsSync(join(folder, '.lucilius')))
})

t.test('where no service keeps anything, that is the answer, and nothing is made or loaded for it', async (t) => {
  const silent = { ...mailSystem, 'mail.mjs': "export const mail = (app) => app.add('role:mail,cmd:send', () => 1)\n" }
  const up = start(t, ['up'], {}, silent)
  const ask = (...args: string[]) =>
    lucilius(['events', ...args], { cwd: up.folder, env: { LUCILIUS_RUN_DIR: up.runDir } })
  const says = async () => {
    const { code, stdout, stderr } = await ask()
    t.strictSame({ code, stderr }, { code: 0, stderr: '' })
    t.match(stdout, /^store +none: no service here declares a durable event, so nothing is kept$/m)
    t.match(await ask('dead'), { code: 0, stderr: 'lucilius: There are no dead letters.\n' })
    t.notOk(existsSync(join(up.folder, '.lucilius')))
  }
  await up.until((line) => line === 'up: 1 process')
  await says()
  up.signal('SIGTERM')
  await up.ended
  await says()
})

t.test('what has no store says so in one line, whether it runs or not', async (t) => {
  const { events } = await running(t, [], false)
  const { code, stderr } = await events()
  t.equal(code, 2)
  t.match(stderr, /no store/)
  t.ok(isOneLine(stderr), stderr)
  const place = folder(t)
  for (const [args, said] of [
    [['split'], /'split' describes no store/],
    [['splitt'], /did you mean 'split'/],
    [['deda'], /did you mean 'lucilius events dead'/],
  ] as const) {
    const { code, stderr } = await lucilius(['events', ...args], { cwd: place.folder, env: place.env })
    t.equal(code, 2, args.join())
    t.match(stderr, said)
    t.ok(isOneLine(stderr), stderr)
  }
})

/** A system of one process that sends letters, as long as there is no file `jam`. */
const mailSystem = {
  'rates.mjs': undefined,
  'convert.mjs': undefined,
  'lucilius.config.mjs': `export default {
  services: { mail: './mail.mjs' },
  deployments: { one: { store: 'embedded', groups: { all: '*' } } },
}
`,
  'mail.mjs': `import { existsSync } from 'node:fs'

export const mail = (app) => {
  app.event('role:mail,event:due', { durable: true })
  app.add('role:mail,cmd:send', async ({ id }, { emit }) => emit('role:mail,event:due', { id }, { id }))
  app.on('role:mail,event:due', { durable: 'post', maxDeliveries: 1 }, ({ id }) => {
    if (existsSync('jam')) throw new Error('paper jam')
    console.log('sent ' + id)
  })
}
`,
}

/** Dead letters as a test keeps them. */
interface Letters {
  readonly replayed: string[]
  readonly removed: string[]
  /** What is replayed dies again at once. */
  dieAgain: boolean
  left(): readonly DeadLetter[]
}

/** A system that runs in this process, with a store of these dead letters, and its commands. */
async function running(t: Test, given: readonly DeadLetter[], hasStore = true) {
  const { folder: cwd, env } = folder(t)
  const app = makeApp({ name: 'up' })
  const { admin, letters } = kept(given)
  const control = await openControl(
    { folder: cwd, what: 'up-split', runDir: env.LUCILIUS_RUN_DIR },
    {
      app,
      about: () => ({ name: 'mail', deployment: 'split', processes: [] }),
      store: askingStore(async () => (hasStore ? admin : undefined)),
    },
  )
  t.teardown(async () => {
    await control.close()
    await app.close()
  })
  const eventsFor =
    (world: Partial<Io>) =>
    (...args: string[]) =>
      lucilius(['events', ...args], { cwd, env, ...world })
  return { events: eventsFor({}), eventsFor, letters }
}

/** A folder with the description of a system without a store, and one for sockets. */
function folder(t: Test) {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'lucilius-events-')))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  mkdirSync(join(folder, 'run'), { mode: 0o700 })
  const config = `export default {
  services: { mail: './mail.mjs', post: './post.mjs' },
  deployments: {
    one: { groups: { all: '*' } },
    split: { groups: { mail: ['mail'], post: ['post'] } },
  },
}
`
  writeFileSync(join(folder, 'lucilius.config.mjs'), config)
  return { folder, env: { LUCILIUS_RUN_DIR: join(folder, 'run') } }
}

/** A store that keeps what a test gives it. */
function kept(given: readonly DeadLetter[]): { readonly admin: StoreAdmin; readonly letters: Letters } {
  let left = [...given]
  const letters: Letters = { replayed: [], removed: [], dieAgain: false, left: () => left }
  const subscription = (name: string, ordered: boolean, waiting: number, running: number): SubscriptionReport => ({
    name,
    pattern: `event:${ordered ? 'refused' : 'created'},role:order`,
    ordered,
    waiting,
    running,
    dead: left.filter((one) => one.subscription === name).length,
  })
  const take = (id: string) => {
    const found = left.find((one) => one.id === id)
    left = left.filter((one) => one !== found)
    return found
  }
  const admin: StoreAdmin = {
    report: async () => ({
      store: 'kept by a test',
      events: 3,
      bytes: 1204,
      oldestAt: at,
      retained: 1,
      subscriptions: [subscription('mail.outbox', false, 12, 3), subscription('mail.refused', true, 0, 0)],
    }),
    deadLetters: async ({ subscription, limit, after }) => {
      const own = left.filter((one) => subscription === undefined || one.subscription === subscription)
      const from = after === undefined ? 0 : own.findIndex(({ id }) => id === after) + 1
      return own.slice(from, from + limit)
    },
    deadLetter: async (id) => left.find((one) => one.id === id),
    replay: async (id) => {
      const found = take(id)
      if (found === undefined) return false
      letters.replayed.push(id)
      if (letters.dieAgain) left.push({ ...found, id: `${id}-again` })
      return true
    },
    drop: async (id) => take(id) !== undefined,
    removeSubscription: async (name) => letters.removed.push(name) > 0,
  }
  return { admin, letters }
}

function letter(id: string, subscription = 'mail.outbox'): DeadLetter {
  return {
    id,
    subscription,
    at,
    event: {
      id: `event-${id}`,
      at,
      declared: 'event:created,role:order',
      message: { role: 'order', event: 'created', sku: 'apple' },
      meta: {},
      key: 'apple',
      retain: false,
      durable: true,
    },
    failures: [
      { at, attempt: 1, message: 'The disk is nearly full', instance: 'i1' },
      { at, attempt: 2, code: 'LUC_ACTION_FAILED', message: 'The disk is full', instance: 'i2' },
    ],
  }
}
