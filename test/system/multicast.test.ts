import { spawn } from 'node:child_process'
import { createHmac, randomBytes } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import t, { type Test } from 'tap'
import { type Announcement, announcementText, readAnnouncement } from '../../lib/system/discovery/announcement-text.js'
import type { Rhythm } from '../../lib/system/discovery/announcing.js'
import { multicastProvider } from '../../lib/system/discovery/multicast.js'
import { Nonces } from '../../lib/system/discovery/nonces.js'
import { Roster } from '../../lib/system/discovery/roster.js'
import type { MulticastDiscovery } from '../../lib/system/system.js'
import { eventually } from '../core/eventually.js'
import { recordingLogger } from '../core/recording-logger.js'
import { docPages } from '../docs/pages.js'
import { badInputs } from '../support/bad-inputs.js'
import { freeMulticast, stranger } from '../support/multicast.js'

const SECRET = 'a-secret-of-a-test-only'
const space = 'currency'
/** Nobody says anything in a test unless asked, or at its end. */
const never = { everyMs: 60_000 }

t.test('processes find each other, and one that comes later finds all and is found by all at once', async (t) => {
  const at = await freeMulticast()
  const [rates, convert] = await Promise.all([
    joined(t, at, { group: 'rates', port: 7401 }, never),
    joined(t, at, { group: 'convert', port: 7402 }, never),
  ])
  await eventually(() => rates.knows('convert') === 'ws://127.0.0.1:7402/ws')
  await eventually(() => convert.knows('rates') === 'ws://127.0.0.1:7401/ws')
  const began = performance.now()
  const second = await joined(t, at, { group: 'convert', port: 7403 }, never)
  await eventually(() => second.knows('rates') !== '' && second.knows('convert') === 'ws://127.0.0.1:7402/ws')
  await eventually(() => rates.knows('convert') === 'ws://127.0.0.1:7402/ws ws://127.0.0.1:7403/ws')
  t.ok(rates.signs.every((urls) => urls.length === 1))
  t.ok(performance.now() - began < 1000, 'well before anybody would have said it anyway')
  t.notOk(rates.found.has('shop'), 'what nobody looks for is not told')
  t.strictSame(total(rates), 0, 'its own announcements are no trouble')
})

t.test('whoever closes is left out at once, and whoever falls silent after three announcements', async (t) => {
  const at = await freeMulticast()
  const rates = await joined(t, at, { group: 'rates', port: 7401 }, never)
  const brief = await joined(t, at, { group: 'convert', port: 7402 }, never)
  await eventually(() => rates.knows('convert') !== '')
  await brief.close()
  await eventually(() => rates.knows('convert') === '')

  const hasty = await joined(t, at, { group: 'shop', port: 7403 }, { everyMs: 60 })
  const { send } = await stranger(t, at)
  await send(text({ instance: 'silent' }))
  await eventually(() => hasty.knows('convert') === 'ws://127.0.0.1:7402/ws')
  const began = performance.now()
  await eventually(() => hasty.knows('convert') === '')
  t.match(performance.now() - began > 100, true, 'one lost announcement changes nothing')
})

t.test('a process asks when it comes, then says again and again where it is', async (t) => {
  const at = await freeMulticast()
  const { heard } = await stranger(t, at)
  await joined(t, at, { group: 'rates', port: 7401 }, { everyMs: 400 })
  await eventually(() => heard.length >= 4)
  const said = heard.map((datagram) => readAnnouncement(SECRET, datagram) as Announcement)
  t.strictSame(
    said.slice(0, 4).map(({ ask }) => ask),
    [true, true, true, false],
  )
  t.equal(new Set(said.map(({ nonce }) => nonce)).size, said.length)
  t.match(said[0], { space, group: 'rates', url: 'ws://127.0.0.1:7401/ws' })
})

t.test('many who ask at once get one answer, and those who ask right after it wait for the next', async (t) => {
  const at = await freeMulticast()
  const { heard, send } = await stranger(t, at)
  await joined(t, at, { group: 'rates', port: 7401 }, never)
  const said = () => heard.filter((datagram) => (readAnnouncement(SECRET, datagram) as Announcement).group === 'rates')
  await eventually(() => said().length === 3)
  for (let n = 0; n < 50; n++) await send(text({ ask: true }))
  await eventually(() => said().length === 4)
  const began = performance.now()
  for (let n = 0; n < 50; n++) await send(text({ ask: true }))
  await eventually(() => heard.length === 103 + 2)
  t.equal(said().length, 5)
  t.ok(performance.now() - began > 150, 'it answers five times a second at most')
})

t.test('whatever is no announcement of this system is ignored and counted, by what is wrong with it', async (t) => {
  const at = await freeMulticast()
  const rates = await joined(t, at, { group: 'rates', port: 7401 }, never)
  const convert = await joined(t, at, { group: 'convert', port: 7402 }, never)
  await eventually(() => rates.knows('convert') === 'ws://127.0.0.1:7402/ws')
  const { send } = await stranger(t, at)
  const own = { group: 'rates', instance: rates.self.instance, url: 'ws://127.0.0.1:6666/ws' }
  const good = text({ instance: 'twice', group: 'nobody-looks-for-it' })
  const changed = Buffer.from(good)
  changed.write('6', changed.indexOf('7402'))
  const bad: Record<string, (string | Buffer)[]> = {
    oversized: [text({ group: 'g'.repeat(1200) }), randomBytes(1201)],
    unsigned: [
      ...badInputs('discovery-udp').map(({ id, input }) => (id.endsWith('005') ? JSON.stringify(own) : input)),
      good.subarray(0, 53),
      good.toString().replace('lucilius1', 'lucilius2'),
      good.toString().replace('\n', ' '),
    ],
    forged: [
      text(own, 'another-secret-of-a-test'),
      changed,
      Buffer.concat([good, Buffer.from(' ')]),
      good.toString().replace(/ .*\n/, ` ${'!'.repeat(43)}\n`),
      `lucilius1 ${createHmac('sha256', SECRET).update(good.subarray(54)).digest('base64url')}\n${good.subarray(54)}`,
    ],
    malformed: [
      ...['not json', '[]', 'null', '1', '{}', '{"a":{"b":{"c":1}}}', '\xff'].map(signed),
      ...['space', 'group', 'instance', 'url', 'at', 'nonce'].map((name) => text({ [name]: undefined })),
      ...['tcp://127.0.0.1:1', 'ws://user:password@127.0.0.1:1/', 'nowhere', ''].map((url) => text({ url })),
      ...[{ nonce: 'short' }, { nonce: 'a'.repeat(65) }, { at: 1.5 }, { at: '1' }, { group: 'g'.repeat(201) }].map(
        (one) => text(one),
      ),
      signed('{"__proto__":{"space":"currency"}}'),
    ],
    foreign: [text({ space: 'shop' })],
    stale: [text({ at: Date.now() - 31_000 }), text({ at: Date.now() + 31_000 })],
    replayed: [good],
  }
  t.equal(badInputs('discovery-udp').length, 4, 'the records are there')
  await send(good)
  for (const [reason, datagrams] of Object.entries(bad)) {
    for (const [n, datagram] of datagrams.entries()) {
      await send(datagram)
      await eventually(() => rates.counts()[reason] === n + 1)
    }
  }
  const expected = Object.fromEntries(Object.entries(bad).map(([reason, { length }]) => [reason, length]))
  t.strictSame(rates.counts(), expected)
  t.equal(rates.knows('convert'), 'ws://127.0.0.1:7402/ws', 'and nobody else is known')
  t.strictSame(convert.counts(), expected)
  await joined(t, at, { group: 'convert', port: 7403 }, never)
  await eventually(() => rates.knows('convert') === 'ws://127.0.0.1:7402/ws ws://127.0.0.1:7403/ws')
})

t.test('an announcement that somebody else sends again is ignored, from wherever it comes', async (t) => {
  const at = await freeMulticast()
  const rates = await joined(t, at, { group: 'rates', port: 7401 }, never)
  const thief = await stranger(t, at, '127.0.0.2')
  const convert = await joined(t, at, { group: 'convert', port: 7402 }, never)
  await eventually(() => rates.knows('convert') !== '')
  await convert.close()
  await eventually(() => rates.knows('convert') === '' && thief.heard.length >= 4)
  const before = rates.told
  const stolen = thief.heard.slice()
  for (const datagram of stolen) await thief.send(datagram)
  // Those of the process itself are no news to it.
  const others = stolen.filter((datagram) => (readAnnouncement(SECRET, datagram) as Announcement).group === 'convert')
  await eventually(() => total(rates) === others.length)
  t.match(rates.counts(), { replayed: others.length })
  t.equal(rates.told, before)
})

t.test('a flood of 10,000 random datagrams changes nothing and leaves nothing', async (t) => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const at = await freeMulticast()
  const rates = await joined(t, at, { group: 'rates', port: 7401 }, never)
  await joined(t, at, { group: 'convert', port: 7402 }, never)
  await eventually(() => rates.knows('convert') !== '')
  const { send, heard } = await stranger(t, at)
  const head = Buffer.from('lucilius1 ')
  const flood = async (count: number) => {
    for (let n = 0; n < count; n += 50) {
      // Half of them get as far as their signature.
      const before = total(rates)
      const noise = Array.from({ length: 50 }, (_, k) =>
        randomBytes(Math.floor(Math.random() * 1300)).fill(k % 2 ? head : ''),
      )
      await Promise.all(noise.map(send))
      await eventually(() => total(rates) === before + 50)
      heard.length = 0
    }
  }
  await flood(1000)
  collect()
  const heap = process.memoryUsage().heapUsed
  await flood(10_000)
  collect()
  const grown = process.memoryUsage().heapUsed - heap
  t.ok(grown < 500_000, `the heap has grown by ${grown} bytes`)
  t.strictSame(rates.found, new Map([['convert', ['ws://127.0.0.1:7402/ws']]]))
  t.equal(total(rates), 11_000)
  await joined(t, at, { group: 'convert', port: 7403 }, never)
  await eventually(() => rates.knows('convert') === 'ws://127.0.0.1:7402/ws ws://127.0.0.1:7403/ws')
})

t.test('an operator is warned of what was ignored, with counts, now and then', async (t) => {
  const at = await freeMulticast()
  const rates = await joined(t, at, { group: 'rates', port: 7401 }, { everyMs: 20, warnMs: 200 })
  const { send } = await stranger(t, at)
  await send('anything')
  await eventually(() => rates.lines('warn').length === 1)
  const began = performance.now()
  for (let n = 0; n < 5; n++) await send('anything')
  await send(text({ space: 'shop' }))
  await eventually(() => rates.lines('warn').length === 2)
  t.ok(performance.now() - began > 100, 'not at once')
  t.match(rates.lines('warn'), [{ ignored: { unsigned: 1 } }, { ignored: { unsigned: 5, foreign: 1 } }])
  t.notMatch(JSON.stringify(rates.lines('warn')), SECRET)
})

t.test('a port that somebody else has is told of once, and tried until it is free', async (t) => {
  const at = await freeMulticast()
  const taken = createSocket('udp4').bind(at.port)
  await once(taken, 'listening')
  const rates = await joined(t, at, { group: 'rates', port: 7401 }, { everyMs: 30 })
  await pause(100)
  t.match(rates.lines('warn'), [{ err: { code: 'EADDRINUSE' }, multicast: `${at.group}:${at.port}` }])
  taken.close()
  await eventually(() => rates.lines('info').length === 1)
  t.equal(rates.lines('warn').length, 1)
  await joined(t, at, { group: 'convert', port: 7402 }, never)
  await eventually(() => rates.knows('convert') !== '')
})

t.test('what is too long to be announced is refused', async (t) => {
  const provider = multicastProvider({ ...(await freeMulticast()), space, secret: SECRET })
  const opened = provider.open({ ...lookingOf({ group: 'g'.repeat(1200), port: 7401 }), found: () => {} })
  await t.rejects(opened, { code: 'LUC_OPTIONS_INVALID', message: /^multicast: .* shorter address[.]$/ })
  await provider.close()
})

t.test('it keeps no process alive, and leaves nothing behind', async (t) => {
  const at = await freeMulticast()
  const program = `
    import { multicastProvider } from '${new URL('../../lib/system/discovery/multicast.js', import.meta.url)}'
    const provider = multicastProvider(${JSON.stringify({ ...at, space, secret: SECRET })})
    const self = { group: 'rates', instance: 'alone', url: 'ws://127.0.0.1:7401/ws' }
    await provider.open({ groups: ['rates'], self, found: () => {}, log: console })
  `
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], { stdio: 'inherit' })
  t.teardown(() => child.kill('SIGKILL'))
  t.strictSame(await once(child, 'exit'), [0, null], 'it has nothing else to do')

  const rates = await joined(t, at, { group: 'rates', port: 7401 }, never)
  await Promise.all([rates.close(), rates.close()])
  const { heard, send } = await stranger(t, at)
  await send(text({ ask: true }))
  await pause(120)
  t.equal(heard.length, 1, 'who is closed answers nobody')
})

t.test('nonces are remembered for a time, and not more than so many', (t) => {
  const nonces = new Nonces(60, 3)
  t.ok(nonces.isNew('a', 0))
  t.notOk(nonces.isNew('a', 59))
  t.ok(nonces.isNew('a', 60), 'the time stamp of what it belongs to is too old by now')
  for (const nonce of ['b', 'c', 'd']) t.ok(nonces.isNew(nonce, 61))
  t.notOk(nonces.isNew('d', 62))
  t.ok(nonces.isNew('a', 62), 'the oldest went first')
  t.end()
})

t.test('addresses are known for a time, and not more than so many', (t) => {
  const roster = new Roster(60, 2)
  for (const [now, name] of ['a', 'b', 'c', 'b'].entries()) roster.note(name, `ws://${name}/`, now)
  t.strictSame(roster.urls(), ['ws://c/', 'ws://b/'], 'the one that was silent longest went')
  t.notOk(roster.forget(61))
  t.ok(roster.forget(62))
  t.strictSame(roster.urls(), ['ws://b/'])
  roster.note('b', 'ws://b/', 63)
  t.equal(roster.urls(), roster.urls(), 'they are listed anew when they change')
  roster.note('b', 'ws://another/', 64)
  t.strictSame(roster.urls(), ['ws://another/'])
  t.end()
})

t.test('the datagram of the page is signed and read as it says', (t) => {
  const page = docPages().find(({ path }) => path === 'docs/wire.md')?.text ?? ''
  const [, datagram = ''] = /^```datagram\n(.*?)\n```$/ms.exec(page) ?? []
  const [, secret = ''] = /the secret `([^`]+)`/.exec(page) ?? []
  const announcement = JSON.parse(datagram.split('\n')[1] ?? '')
  t.equal(announcementText(secret, announcement).toString(), datagram)
  t.strictSame(readAnnouncement(secret, Buffer.from(datagram)), { gone: false, ...announcement })
  t.end()
})

/** A process that announces itself and looks for others, until the test ends. */
async function joined(t: Test, at: MulticastDiscovery, self: { group: string; port: number }, rhythm: Partial<Rhythm>) {
  const found = new Map<string, readonly string[]>()
  const { logger: log, lines } = recordingLogger()
  const looking = lookingOf(self)
  const provider = multicastProvider({ ...at, space, secret: SECRET }, rhythm)
  const process = {
    self: looking.self,
    found,
    lines,
    /** Of which addresses there was a sign, each time that there was one. */
    signs: [] as (readonly string[])[],
    /** How often something was told. */
    told: 0,
    /** The addresses of a group, sorted. */
    knows: (group: string) => [...(found.get(group) ?? [])].sort().join(' '),
    counts: (): Record<string, number> => ({ ...provider.rejected() }),
    close: () => provider.close(),
  }
  t.teardown(() => provider.close())
  await provider.open({
    ...looking,
    found: (group, urls, fresh) => {
      process.told++
      process.signs.push(fresh)
      found.set(group, urls)
    },
    log,
  })
  return process
}

function lookingOf({ group, port }: { group: string; port: number }) {
  const self = { group, instance: randomBytes(8).toString('hex'), url: `ws://127.0.0.1:${port}/ws` }
  return { groups: ['rates', 'convert'], self, log: recordingLogger().logger }
}

function total(process: { counts(): Record<string, number> }): number {
  return Object.values(process.counts()).reduce((sum, count) => sum + count, 0)
}

/** A good announcement of a `convert`, but for what is given. */
function text(more: { readonly [name: string]: unknown } = {}, secret = SECRET): Buffer {
  const nonce = randomBytes(18).toString('base64url')
  const good = { space, group: 'convert', instance: 'somebody', url: 'ws://127.0.0.1:7402/ws', at: Date.now(), nonce }
  // What is wrong with it is what the test is about.
  return announcementText(secret, { ...good, ...more } as Announcement)
}

/** Anything, signed as an announcement is. */
function signed(body: string): Buffer {
  const bytes = Buffer.from(body, 'latin1')
  const signature = createHmac('sha256', SECRET).update('lucilius.v1 announcement\n').update(bytes).digest('base64url')
  return Buffer.concat([Buffer.from(`lucilius1 ${signature}\n`), bytes])
}
