import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { startLocalNats } from '../../lib/system/supervise/local-nats.js'
import { skipWithout, startNats } from '../support/brokers.js'
import { config, eventually, folderOf, start, started } from './up-program.js'

const skip = skipWithout('nats-server')
const files = { 'lucilius.config.mjs': config.replace('split: {', "split: { transport: 'nats',") }

t.test(
  'up starts a nats-server where nobody says where one is, and it outlives whoever needs it',
  { skip },
  async (t) => {
    const up = await started(t, ['up'], 3, {}, files)
    const place = join(up.folder, '.lucilius', 'nats', 'split')
    const [told = ''] = up.lines.filter((line) => line.includes('nats-server'))
    t.match(
      told,
      /^up +\| nats-server runs at nats:\/\/127\.0\.0\.1:\d+ for as long as this does; its data and log are in \.lucilius\/nats\/split$/,
    )
    t.match(
      (await up.about()).map(({ url }) => url),
      Array(2).fill(/^nats:\/\/127\.0\.0\.1/),
    )
    t.strictSame(await up.act('role:convert,cmd:rate'), { rate: 0.9 })

    const load = await up.load('role:convert,cmd:rate')
    up.signal('SIGHUP')
    await up.until((line) => line.includes('all processes are replaced'))
    t.strictSame(await load.stop(), [], 'a rolling replacement is noticed by nobody')

    const first = serverOf(place)
    process.kill(-first, 'SIGKILL')
    await up.until((line) => line.includes('nats-server has ended; starts again in 0.1 s'))
    await eventually(async () => (await up.act('role:convert,cmd:rate').catch(() => undefined)) !== undefined)
    const second = serverOf(place)
    t.not(second, first)

    const slow = up.act('role:convert,cmd:slow,ms:300')
    await up.until((line) => line.includes('slow began'))
    up.signalAll('SIGINT')
    t.strictSame(await slow, { rate: 0.9 }, 'what runs at Ctrl-C still asks others')
    t.strictSame(await up.ended, { code: 0, complaints: '' })
    await eventually(async () => !isThere(second))
    t.pass('it ends with the last process')
    t.notOk(existsSync(join(place, 'owner')))
    t.ok(existsSync(join(place, 'nats-server.log')))
  },
)

t.test(
  'a nats-server does not outlive an up that is killed, and its data are for one run at a time',
  { skip },
  async (t) => {
    const up = start(t, ['up'], {}, files)
    await up.until((line) => line.includes('nats-server runs'))
    const server = serverOf(join(up.folder, '.lucilius', 'nats', 'split'))
    const say = () => {}
    const second = startLocalNats({ folder: up.folder, deployment: 'split', variables: process.env, say })
    await t.rejects(second, { code: 'LUC_OPTIONS_INVALID', message: new RegExp(`is in use by the process ${server}:`) })
    up.signal('SIGKILL')
    await eventually(() => !isThere(server))
    const { url, close } = await startLocalNats({ folder: up.folder, deployment: 'split', variables: process.env, say })
    t.match(url, /^nats:/)
    await close()
  },
)

t.test('a broker that refuses who we are ends up at once, and says what to set', { skip }, async (t) => {
  const broker = await startNats(t, { config: 'authorization { token: "right" }' })
  const env = { LUCILIUS_NATS_URL: broker.url, LUCILIUS_NATS_TOKEN: 'canary' }
  const { code, complaints } = await start(t, ['up'], env, files).ended
  t.equal(code, 1)
  t.match(complaints, /^lucilius: (rates|convert\.\d) exited with code 1: .*127\.0\.0\.1.* Set LUCILIUS_NATS_CREDS, /)
  t.notMatch(complaints, /canary|It died after/)
})

t.test('without a nats-server it says how to get one, or do without', async (t) => {
  const options = { folder: folderOf(t, {}), deployment: 'split', variables: { PATH: '/nowhere' }, say: () => {} }
  await t.rejects(startLocalNats({ ...options, beside: [] }), {
    code: 'LUC_OPTIONS_INVALID',
    message:
      /^This deployment needs NATS, .* Set LUCILIUS_NATS_URL, or install it: apt-get install nats-server \(Debian\)/,
  })
})

/** The process group of the server: whoever has its data. */
function serverOf(place: string): number {
  return Number(readFileSync(join(place, 'owner'), 'utf8'))
}

function isThere(group: number): boolean {
  try {
    return process.kill(-group, 0)
  } catch {
    return false
  }
}
