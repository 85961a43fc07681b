import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { ClassicLevel } from 'classic-level'
import t, { type Test } from 'tap'
import { LuciliusError } from '../../lib/errors.js'
import type { OpenStore, StoreDelivery, StoreHost, StoreReport } from '../../lib/store.js'
import { embedded } from '../../transports/embedded/index.js'
import { eventually } from '../core/eventually.js'
import { handlesAll, served } from './inbox.js'
import { appendAll, sample, soon, subscription } from './sample.js'
import { hostOf, type StoreStage } from './stage.js'
import { storeSuite } from './store-suite.js'

/** How many events are stored while the process is killed ten times: `TEST_EVENTS=10000` takes a minute. */
const EVENTS = Number(process.env.TEST_EVENTS ?? 2000)

const stage: StoreStage = {
  name: 'embedded',
  recoversMs: 500,
  lacks: {
    'crashing-alone': 'all instances of an embedded store are in one process and crash together',
    outage: 'an embedded store is in the process itself, and never away from it',
  },
  runs: Number(process.env.LUCILIUS_RUNS ?? 25),
  place: async (t) => {
    const root = folder(t)
    let lives = 0
    let store = embedded({ path: join(root, '0') })
    return {
      open: async (host) => {
        const open = await store.openStore(host)
        const crash = async () => {
          const left = join(root, `${lives}`)
          lives++
          copyAsLeft(left, join(root, `${lives}`))
          store = embedded({ path: join(root, `${lives}`) })
          t.teardown(() => open.close())
        }
        return { store: open, crash }
      },
    }
  },
}

storeSuite(t, stage)

t.test('a process that is killed again and again', async (t) => {
  const root = folder(t)
  const path = join(root, 'store')
  const ledgers: string[] = []
  for (let life = 0, next = 0; life <= 10; life++) {
    const ledger = join(root, `ledger ${life}`)
    const child = run(t, ['work', path, ledger, `${next}`, `${EVENTS}`])
    if (life < 10) await killAfter(child, Math.max(0, (EVENTS * (life + 1)) / 11 - next) / 10)
    const [code] = await ended(child)
    if (life === 10) t.equal(code, 0, 'the last one ends by itself')
    ledgers.push(readFileSync(ledger, 'utf8'))
    next = Math.max(next, ...numbersOf(ledgers.join(''), 'stored').map((n) => n + 1))
  }
  const all = ledgers.join('')
  const stored = new Set(numbersOf(all, 'stored'))
  const handled = new Set(numbersOf(all, 'handled'))
  t.ok(stored.size >= EVENTS - 10 * 16, 'all but those that were being stored at a kill were stored')
  t.strictSame(
    [...stored].filter((n) => !handled.has(n)),
    [],
    'each event that was stored was handled',
  )
  t.strictSame(comeAfterTheirEnd(all), [], 'what was ended never came again')

  const store = await embedded({ path }).openStore(hostOf())
  const letters = await store.admin.deadLetters({ limit: EVENTS })
  const dead = letters.map(({ event }) => Number(event.message.n))
  t.strictSame(dead.toSorted(ascendingly), [...handled].filter((n) => n % 100 === 7).toSorted(ascendingly))
  const { events, retained, subscriptions } = await store.admin.report()
  t.strictSame({ events, retained, waiting: subscriptions[0]?.waiting }, { events: 0, retained: 5, waiting: 0 })
  const last = (await store.retained(() => true)).map(({ message }) => Number(message.n))
  for (const n of last)
    t.notOk(
      [...stored].some((other) => other % 5 === n % 5 && other > n + 16),
      'the last is retained',
    )
  await store.close()
})

t.test('an event of which the process dies is counted each time', async (t) => {
  const root = folder(t)
  const ledger = join(root, 'ledger')
  for (const life of [1, 2, 3, 4]) {
    const child = run(t, ['poison', join(root, 'store'), ledger, life === 1 ? 'first' : '0'])
    const [, signal] = await ended(child)
    t.equal(signal, life < 4 ? 'SIGKILL' : null)
  }
  t.equal(readFileSync(ledger, 'utf8'), 'handled 1 1\nhandled 1 2\nhandled 1 3\nhandled 1 4\nended 1\n')
})

t.test('what was ended does not come again, even if the process is killed in the same turn', async (t) => {
  const root = folder(t)
  const path = join(root, 'store')
  const ledger = join(root, 'ledger')
  const child = run(t, ['turn', path, ledger])
  t.strictSame(await ended(child), [null, 'SIGKILL'])
  t.equal(readFileSync(ledger, 'utf8'), 'handled 1 1\nhandled 2 1\n')
  for (const file of readdirSync(path)) if (file.startsWith('ends')) appendFileSync(join(path, file), '["shop.all"\n[')
  for (const time of ['first', 'second']) {
    const store = await embedded({ path }).openStore(hostOf())
    const inbox = await served(store, subscription(), handlesAll())
    await appendAll(store, [sample(3)])
    await inbox.has(1)
    t.strictSame(inbox.numbers, [3], `opened for the ${time} time`)
    const letters = await store.admin.deadLetters({ limit: 10 })
    t.match(letters, [{ event: { message: { n: 2 } }, failures: [{ message: 'never' }] }])
    t.equal(letters.length, 1)
    await store.close()
    t.equal((await reportOf(path)).events, 0)
  }
})

t.test('the notes of what was ended stay small, and go when the store is closed', async (t) => {
  const path = join(folder(t), 'store')
  const store = await embedded({ path, sync: false }).openStore(hostOf())
  const inbox = await served(store, subscription(), handlesAll())
  const notes = () => readdirSync(path).filter((file) => file.startsWith('ends'))
  let largest = 0
  for (let n = 0; n < 40; n++) {
    await Promise.all(Array.from({ length: 100 }, () => store.append(sample(n), soon())))
    largest = Math.max(largest, ...notes().map((file) => statSync(join(path, file)).size))
  }
  await inbox.has(4000)
  t.ok(largest > 10_000 && largest < 25_000, `${largest} bytes`)
  await store.close()
  t.strictSame(notes(), [])
})

t.test('a subscription that is stopped is forgotten once nothing of it is under way', async (t) => {
  const store = await embedded({ path: join(folder(t), 'store') }).openStore(hostOf())
  const seen: WeakRef<object>[] = []
  for (const isBusy of [false, true]) seen.push(await stopped(store, isBusy))
  await eventually(() => {
    collect()
    return seen.every((one) => one.deref() === undefined)
  })
  await store.close()
})

t.test('a disk that is full is told, and what was stored before is there', { skip: noLimits() }, async (t) => {
  const root = folder(t)
  const ledger = join(root, 'ledger')
  const path = join(root, 'store')
  const limited = ['-c', `trap '' XFSZ; ulimit -f 600; exec "$0" "$@"`, process.execPath]
  await ended(run(t, ['fill', path, ledger], 'sh', limited))
  const lines = readFileSync(ledger, 'utf8')
  const refused = lines.match(/^refused .*$/gm) ?? []
  t.match(refused[0], /^refused \d+ LUC_STORE_FAILED unknown$/)
  t.ok(
    refused.length > 10 && refused.slice(1).every((line) => line.endsWith('LUC_STORE_FAILED no')),
    'and all after it',
  )
  const store = await embedded({ path }).openStore(hostOf())
  const inbox = await served(store, subscription(), handlesAll())
  const stored = numbersOf(lines, 'stored')
  await inbox.has(stored.length)
  t.strictSame(
    stored.filter((n) => !inbox.numbers.includes(n)),
    [],
  )
  await store.close()
})

t.test('a store is for one process', async (t) => {
  const path = join(folder(t), 'store')
  const child = run(t, ['hold', path, join(path, '../ledger')])
  await once(child.stdout ?? child, 'data')
  await refuses(t, path, 'LUC_STORE_FAILED', `is open in process ${child.pid} ('suite', since 2`, 'nats() or amqp()')
  child.kill('SIGKILL')
  await ended(child)
  const store = await embedded({ path }).openStore(hostOf())
  await refuses(t, path, 'LUC_STORE_FAILED', 'is open in this very process', 'the same object')
  t.ok(existsSync(join(path, 'holder.json')))
  await store.close()
  t.notOk(existsSync(join(path, 'holder.json')))
})

t.test('apps of one process share a store, which is closed with the last of them', async (t) => {
  const path = join(folder(t), 'store')
  const shared = embedded({ path })
  const [one, two] = [await shared.openStore(hostOf()), await shared.openStore(hostOf())]
  const inbox = await served(two, subscription(), handlesAll())
  await appendAll(one, [sample(1)])
  await inbox.has(1)
  await one.close()
  await appendAll(two, [sample(2)])
  await inbox.has(2)
  const closing = two.close()
  const three = await shared.openStore(hostOf())
  await closing
  t.equal((await three.admin.report()).subscriptions.length, 1)
  await three.close()
})

t.test('a store knows whether there is anything in its folder, without making one', async (t) => {
  const path = join(folder(t), 'deep', 'store')
  const store = embedded({ path })
  t.equal(await store.isEmpty?.(), true)
  t.notOk(existsSync(join(path, '..')))
  await (await store.openStore(hostOf())).close()
  t.equal(await store.isEmpty?.(), false)
})

t.test('a folder that is not a store is left as it is', async (t) => {
  const root = folder(t)
  writeFileSync(join(root, 'package.json'), '{}')
  await refuses(t, root, 'LUC_OPTIONS_INVALID', `there is 'package.json' in it`, 'Name a new or empty folder')
  t.strictSame(readdirSync(root), ['package.json'])
  await refuses(t, join(root, 'package.json'), 'LUC_OPTIONS_INVALID', 'it is a file')
  const other = new ClassicLevel(join(root, 'level'))
  await other.put('somebody', 'else')
  await other.close()
  await refuses(t, join(root, 'level'), 'LUC_OPTIONS_INVALID', 'a LevelDB database of something else')
})

t.test('a store of a newer version is left as it is', async (t) => {
  const path = await filled(t)
  const level = new ClassicLevel(path)
  await level.put('meta!format', '2')
  await level.close()
  await refuses(t, path, 'LUC_STORE_FAILED', 'it has format 2, and this version of lucilius knows format 1')
})

t.test('a damaged store is refused, and told', async (t) => {
  const damages: { readonly [what: string]: (path: string) => void } = {
    'CURRENT is missing': (path) => unlinkSync(join(path, 'CURRENT')),
    'CURRENT leads nowhere': (path) => writeFileSync(join(path, 'CURRENT'), 'nowhere\n'),
    'the manifest is missing': (path) => unlinkSync(join(path, fileOf(path, /^MANIFEST/))),
    'the manifest is garbage': (path) => writeFileSync(join(path, fileOf(path, /^MANIFEST/)), 'x'.repeat(500)),
    'the manifest is cut': (path) => truncateSync(join(path, fileOf(path, /^MANIFEST/)), 10),
    'a table is missing': (path) => unlinkSync(join(path, fileOf(path, /ldb$/))),
  }
  const whole = await filled(t)
  for (const [what, harm] of Object.entries(damages)) {
    const path = join(folder(t), 'store')
    cpSync(whole, path, { recursive: true })
    harm(path)
    await t.test(what, (t) => refuses(t, path, 'LUC_STORE_FAILED', `The store in ${path} is damaged`, 'back-up'))
  }
})

t.test('a record that LevelDB leaves out because it is damaged is told', async (t) => {
  const whole = join(folder(t), 'store')
  const store = await embedded({ path: whole }).openStore(hostOf())
  await store.know(subscription())
  await appendAll(
    store,
    [1, 2, 3].map((n) => sample(n, { message: { role: 'order', n, text: 'y'.repeat(40_000) } })),
  )
  const path = join(folder(t), 'store')
  copyAsLeft(whole, path)
  await store.close()
  const log = join(path, fileOf(path, /\d\.log$/))
  const bytes = readFileSync(log)
  bytes.fill(0, 60_000, 60_100)
  writeFileSync(log, bytes)
  const told: string[] = []
  const host: StoreHost = { ...hostOf(), log: (level, _facts, text) => told.push(`${level}: ${text}`) }
  await (await embedded({ path }).openStore(host)).close()
  t.strictSame(told, ['error: parts of the store were damaged and are lost'])
})

t.test('options are checked, and the package must be there', async (t) => {
  const code = 'LUC_OPTIONS_INVALID'
  t.throws(() => embedded({} as never), { code })
  t.throws(() => embedded({ path: '' }), { code })
  t.throws(() => embedded({ path: 'x', sync: 1 as never }), { code })
  t.throws(() => embedded({ path: 'x', duplicatesMs: 0 }), { code })
  t.throws(() => embedded({ path: 'x', pth: 'y' } as never), { code, message: /'path'/ })
  const hook = script(`export function resolve(name, context, next) {
    if (name === 'classic-level') throw new Error('It is not there.')
    return next(name, context)
  }`)
  const without = ['--import', script(`import { register } from 'node:module'; register(${JSON.stringify(hook)})`)]
  const child = run(t, ['hold', join(folder(t), 'store'), join(folder(t), 'ledger')], process.execPath, without)
  let complaint = ''
  child.stderr?.on('data', (chunk) => {
    complaint += chunk
  })
  t.strictSame(await ended(child), [1, null])
  t.match(complaint, /LUC_OPTIONS_INVALID/)
  t.match(complaint, /npm install classic-level/)
})

t.test('an event of an id that was seen longer ago than the window is another one', async (t) => {
  const path = join(folder(t), 'store')
  const store = await embedded({ path, duplicatesMs: 50 }).openStore(hostOf())
  const inbox = await served(store, subscription(), handlesAll())
  const event = sample(1)
  await appendAll(store, [event, event])
  for (let n = 2; n < 9; n++) {
    await new Promise((resolve) => setTimeout(resolve, 30))
    await appendAll(store, [sample(n), sample(n), sample(n)])
  }
  await appendAll(store, [event])
  await inbox.has(1 + 7 * 3 + 1)
  await store.close()
  const level = new ClassicLevel(path)
  const seen = await level.keys({ gt: 'seen!', lt: 'seen"' }).all()
  t.ok(seen.length < 20, `${seen.length} ids are remembered, and those of long ago are not`)
  await level.close()
})

t.test('what is stored does not overtake what is being delivered', async (t) => {
  const store = await embedded({ path: join(folder(t), 'store') }).openStore(hostOf())
  const ordered = subscription({ ordered: true, concurrency: 2 })
  await store.know(ordered)
  await appendAll(store, [sample(1), sample(2), sample(3)])
  const inbox = await served(store, ordered)
  const both = [await inbox.next(), await inbox.next()]
  const append = store.append(sample(4), soon())
  await Promise.all(both.map((delivery) => delivery.end({ kind: 'done' })))
  await append
  await inbox.has(4)
  t.strictSame(inbox.numbers, [1, 2, 3, 4])
  await store.close()
})

t.test('what a subscription no longer matches does not come to it', async (t) => {
  const store = await embedded({ path: join(folder(t), 'store') }).openStore(hostOf())
  await store.know(subscription())
  await appendAll(store, [sample(1), sample(2)])
  const inbox = await served(store, subscription({ pattern: 'n:2,role:order' }), handlesAll())
  await inbox.has(1)
  t.strictSame(inbox.numbers, [2])
  await store.close()
})

t.test('a subscription that is served cannot be removed', async (t) => {
  const store = await embedded({ path: join(folder(t), 'store') }).openStore(hostOf())
  const inbox = await served(store, subscription())
  await t.rejects(store.admin.removeSubscription('shop.all'), { code: 'LUC_STORE_FAILED' })
  await appendAll(store, [sample(1)])
  await inbox.has(1)
  await store.close()
})

/** What lives for as long as a subscription is remembered that was stopped, with an event under way or without. */
async function stopped(store: OpenStore, isBusy: boolean): Promise<WeakRef<object>> {
  const got: StoreDelivery[] = []
  const deliver = (delivery: StoreDelivery) => void got.push(delivery)
  const { stop } = await store.serve(subscription(), deliver)
  if (isBusy) await appendAll(store, [sample(1)])
  await stop()
  for (const delivery of got) await delivery.end({ kind: 'done' })
  return new WeakRef(deliver)
}

/** Collects what nobody needs. */
function collect(): void {
  setFlagsFromString('--expose-gc')
  ;(runInNewContext('gc') as () => void)()
}

async function reportOf(path: string): Promise<StoreReport> {
  const store = await embedded({ path }).openStore(hostOf())
  const report = await store.admin.report()
  await store.close()
  return report
}

/** A folder that goes when the test ends. */
function folder(t: Test): string {
  const path = mkdtempSync(join(tmpdir(), 'lucilius-embedded-'))
  t.teardown(() => rmSync(path, { recursive: true, force: true }))
  return path
}

/** A store with something in it, that nobody has open: in tables and not only in the log. */
async function filled(t: Test): Promise<string> {
  const path = join(folder(t), 'store')
  for (const n of [1, 2]) {
    const store = await embedded({ path }).openStore(hostOf())
    await store.know(subscription())
    await store.append(sample(n), soon())
    await store.close()
  }
  return path
}

/** What the files hold at this moment is what a dead process leaves; the living one goes on beside it, unseen. */
function copyAsLeft(from: string, to: string): void {
  const before = readdirSync(from).join()
  try {
    cpSync(from, to, { recursive: true })
    if (readdirSync(from).join() === before) return
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
  rmSync(to, { recursive: true, force: true }) // LevelDB was tidying up: what was copied is of two moments
  copyAsLeft(from, to)
}

function fileOf(path: string, name: RegExp): string {
  return readdirSync(path).find((file) => name.test(file)) ?? 'none'
}

async function refuses(t: Test, path: string, code: string, ...words: readonly string[]): Promise<void> {
  const error = await embedded({ path })
    .openStore(hostOf())
    .then(
      (store) => store.close(),
      (error: unknown) => error,
    )
  t.ok(error instanceof LuciliusError, 'it is refused')
  if (!(error instanceof LuciliusError)) return
  t.equal(error.code, code)
  for (const word of words) t.ok(error.message.includes(word), error.message)
}

/** Starts the process of killed.ts; it is killed when the test ends, if it has not ended. */
function run(t: Test, args: readonly string[], by = process.execPath, before: readonly string[] = []): ChildProcess {
  const program = fileURLToPath(new URL('./killed.js', import.meta.url))
  const child = spawn(by, [...before, program, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  t.teardown(() => child.kill('SIGKILL'))
  child.stderr?.on('data', (chunk) => t.comment(String(chunk)))
  return child
}

/** Kills it a moment after it has told so many times that it goes on. */
async function killAfter(child: ChildProcess, dots: number): Promise<void> {
  let seen = 0
  while (seen <= dots && child.exitCode === null) seen += String(await once(child.stdout ?? child, 'data')).length
  await new Promise((resolve) => setTimeout(resolve, Math.random() * 8))
  child.kill('SIGKILL')
}

async function ended(child: ChildProcess): Promise<unknown[]> {
  child.stdout?.resume()
  return child.exitCode === null && child.signalCode === null
    ? once(child, 'close')
    : [child.exitCode, child.signalCode]
}

/** A module without a file. */
function script(code: string): string {
  return `data:text/javascript;base64,${Buffer.from(code).toString('base64')}`
}

function numbersOf(ledger: string, word: string): number[] {
  return [...ledger.matchAll(new RegExp(`^${word} (\\d+)`, 'gm'))].map(([, n]) => Number(n))
}

/** What was handled after a line that says it was ended. */
function comeAfterTheirEnd(ledger: string): string[] {
  const over = new Set<string>()
  return ledger.split('\n').filter((line) => {
    const [word, n = ''] = line.split(' ')
    if (word === 'ended') over.add(n)
    return word === 'handled' && over.has(n)
  })
}

function ascendingly(a: number, b: number): number {
  return a - b
}

/** The limit of a file's size stands in for a full disk. */
function noLimits(): string | false {
  return process.platform === 'win32' ? 'there is no ulimit' : false
}
