import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { config, eventually, sources, start, started } from './up-program.js'

/** Where replicas make no difference. */
const alone = ['up', '--replicas', 'convert=1']

const dies = "setTimeout(() => { throw new Error('out of rates') }, 10)"

t.test('the processes of one that is killed drain and end by themselves', async (t) => {
  const up = await started(t, ['up'], 3)
  up.signal('SIGKILL')
  await up.ended
  await eventually(() => up.isGone())
})

t.test('processes are killed, told to end and replaced under load, and no call fails that need not', async (t) => {
  const up = await started(t, ['up'], 3)
  const ids = ['convert.1', 'rates', 'convert.2']
  const newAfter = async (id: string, signal: NodeJS.Signals) => {
    const before = await up.pidOf(id)
    process.kill(before, signal)
    await eventually(async () => {
      const pids = await up.pidsOf(id)
      // One that is told to end before it is ready is started again, like one that dies.
      const isReady = up.lines.some((line) => line.includes(`ready, pid ${pids[0]}`))
      return pids.length === 1 && !pids.includes(before) && isReady
    })
  }

  const idempotent = await up.load('role:convert,cmd:rate')
  for (const id of ids) {
    await newAfter(id, 'SIGKILL')
    await up.until((line) => line.startsWith(id) && line.includes('was killed by SIGKILL; starts again in 0.1 s'))
  }
  t.strictSame(await idempotent.stop(), [], 'killed: idempotent calls')

  const all = await up.load('role:convert,cmd:slow,ms:20')
  for (const id of ids) await newAfter(id, 'SIGTERM')
  t.strictSame(await all.stop(), [], 'told to end: calls of any kind')

  const more = await up.load('role:convert,cmd:slow,ms:20')
  const before = await Promise.all(ids.map(up.pidOf))
  up.signal('SIGHUP')
  await up.until((line) => line.includes('all processes are replaced'))
  t.strictSame(await more.stop(), [], 'SIGHUP, one after the other: calls of any kind')
  const after = await Promise.all(ids.map(up.pidOf))
  t.notOk(before.some((pid) => after.includes(pid)))
  const died = up.lines.filter((line) => line.includes('starts again') && !line.includes('was killed by SIGKILL'))
  t.strictSame(died, [], 'only those killed have failed')
})

t.test('a process that dies again and again ends it all with 1, and it says who died of what', async (t) => {
  const up = start(t, alone, {}, { 'rates.mjs': sources['rates.mjs'].replace('/* later */', dies) })
  const { code, complaints } = await up.ended
  t.equal(code, 1)
  const cause = /^lucilius: rates exited with code 1: out of rates [^.]*rates\.mjs[^.]*\. /
  t.match(complaints, cause)
  t.match(complaints, /\. It died after 5 restarts within 30 s\. All processes are drained\.\n/)
  t.equal(up.lines.filter((line) => line.includes('starts again')).length, 5)
  t.ok(up.isGone())
})

t.test('what no second try changes ends it at once, with the place', async (t) => {
  const up = start(t, alone, {}, { 'rates.mjs': 'export const rates = (app) => { app.add( }\n' })
  const { code, complaints } = await up.ended
  t.equal(code, 1)
  t.match(complaints, /^lucilius: rates exited with code 1: .*rates\.mjs:1:\d+/)
  t.notOk(up.lines.some((line) => line.includes('starts again')))
})

t.test('a port that is taken when a system starts ends it at once, and says what to do', async (t) => {
  const holder = createServer().listen(0, '127.0.0.1')
  t.teardown(() => holder.close())
  await once(holder, 'listening')
  const { port } = holder.address() as AddressInfo
  const placed = config.replace("rates: ['rates']", `rates: { services: ['rates'], listen: { port: ${port} } }`)
  const up = start(t, alone, {}, { 'lucilius.config.mjs': placed })
  const { code, complaints } = await up.ended
  t.equal(code, 1)
  t.match(complaints, /^lucilius: rates exited with code 1: .*EADDRINUSE.* free\. All processes are drained\.\n/)
  t.notOk(up.lines.some((line) => line.includes('starts again')))
})

t.test(
  'one that is told to end stays if nothing can take its place, and is replaced when it is told again',
  async (t) => {
    const up = await started(t, ['up'], 3)
    const before = await up.pidOf('rates')
    const file = join(up.folder, 'rates.mjs')
    const told = () => up.lines.filter((line) => line.startsWith('rates') && line.includes('told to end')).length
    writeFileSync(file, 'export const rates = (app) => { app.add( }\n')
    process.kill(before, 'SIGTERM')
    await up.until((line) => line.includes('stays: a new process exited with code 1'))
    t.strictSame(await up.pidsOf('rates'), [before])
    t.match(await up.act('role:convert,cmd:rate'), { rate: 0.9 })
    writeFileSync(file, sources['rates.mjs'])
    process.kill(before, 'SIGTERM')
    await eventually(async () => !(await up.pidsOf('rates')).includes(before))
    t.equal(told(), 2, 'it has asked for its turn again')
    t.match(await up.act('role:convert,cmd:rate'), { rate: 0.9 })
  },
)

t.test('one that ends itself before it is ready is given up', async (t) => {
  const ends = "process.kill(process.pid, 'SIGTERM'); return new Promise((go) => setTimeout(go, 50))"
  const up = start(t, alone, {}, { 'rates.mjs': sources['rates.mjs'].replace('/* later */', ends) })
  const { code, complaints } = await up.ended
  t.equal(code, 1)
  t.match(complaints, /^lucilius: rates exited with code 0\. It died after 5 restarts/)
})
