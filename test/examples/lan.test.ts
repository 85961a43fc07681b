import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { type ControlClient, findControl } from '../../lib/system/control/index.js'
import type { MulticastDiscovery } from '../../lib/system/system.js'
import { type Started, startLucilius } from '../cli/process.js'
import { freeMulticast, stranger } from '../support/multicast.js'
import { repoRoot } from '../support/repo-root.js'
import { underLoad } from './conversions.js'
import { within } from './within.js'

const counted = fileURLToPath(new URL('./counted.config.js', import.meta.url))

t.test('processes find each other without an address, and whoever dies is not missed', async (t) => {
  const start = lan(t, await freeMulticast())
  const groups = shuffled(['rates', 'convert', 'market', 'client'])
  t.comment(`started in this order: ${groups.join(', ')}`)
  const [rates, convert, market, client] = (await Promise.all(
    ['rates', 'convert', 'market', 'client'].map(
      (group) => new Promise<Process>((resolve) => setTimeout(() => resolve(start(group)), groups.indexOf(group) * 50)),
    ),
  )) as [Process, Process, Process, Process]
  await client.says(/^100 usd = [\d.]+ eur .* 100 chf = \d+ jpy$/m)
  await convert.says(/^answered \d/m)
  const control = await client.control()
  const load = underLoad(control)

  const fifth = start('convert')
  await fifth.says(/^answered \d/m)

  for (const one of [convert, market, rates]) {
    const before = load.answers()
    one.kill()
    await one.ended
    await within(10_000, async () => load.answers() > before + 30)
  }
  t.strictSame(await load.stop(), [], 'no conversion has failed')
  t.notMatch(client.printed(), /no answer/, 'nor one of the client')

  // Who decides which rate holds comes back, on another port, and the news reach a convert that ran on meanwhile.
  const other = start('rates')
  await within(10_000, async () => {
    await control.act('role:rates,cmd:set,currency:jpy,rate:100000', { timeoutMs: 1000 }).catch(() => {})
    return (await yen(control)) > 50_000
  })
  client.kill()
  const survivor = await fifth.control()
  t.ok((await yen(survivor)) > 50_000, 'whoever is left goes on')
  for (const one of [fifth, other]) one.child.kill('SIGTERM')
  t.match(await Promise.all([fifth.ended, other.ended]), [{ code: 0 }, { code: 0 }])
})

t.test('with a secret that nobody else knows a system announces nothing', async (t) => {
  const place = await freeMulticast()
  const { heard } = await stranger(t, place)
  const runDir = mkdtempSync(join(tmpdir(), 'lucilius-lan-'))
  t.teardown(() => rmSync(runDir, { recursive: true, force: true }))
  const up = startLucilius(t, ['up', 'lan', '--config', counted], {
    cwd: repoRoot(),
    env: { LUCILIUS_RUN_DIR: runDir, LUCILIUS_MULTICAST: `${place.group}:${place.port}` },
  })
  await up.says(/^client .*100 usd = /m)
  t.strictSame(heard, [])
  process.kill(-(up.child.pid ?? 0), 'SIGINT')
  t.match(await up.ended, { code: 0, stderr: '' })
})

type Process = Started & { kill(): void; control(): Promise<ControlClient> }

/** Starts processes that share a network, each with a folder of its own for its socket. */
function lan(t: Test, { group, port }: MulticastDiscovery): (group: string) => Process {
  return (name) => {
    const runDir = mkdtempSync(join(tmpdir(), 'lucilius-lan-'))
    t.teardown(() => rmSync(runDir, { recursive: true, force: true }))
    const started = startLucilius(t, ['start', 'lan', '--group', name, '--config', counted], {
      cwd: repoRoot(),
      env: {
        LUCILIUS_RUN_DIR: runDir,
        LUCILIUS_SECRET: 'a-secret-of-a-test-only',
        LUCILIUS_MULTICAST: `${group}:${port}`,
        LUCILIUS_LOG_LEVEL: 'warn',
      },
    })
    return {
      ...started,
      kill: () => void started.child.kill('SIGKILL'),
      control: async () => {
        const control = await findControl(dirname(counted), runDir)
        if (control === undefined) throw new Error(`There is no control socket: ${started.printed()}`)
        t.teardown(() => control.close())
        return control
      },
    }
  }
}

async function yen(control: ControlClient): Promise<number> {
  const reply = await control.act('role:convert,cmd:amount,from:eur,to:jpy,amount:1')
  return (reply as { amount: number }).amount
}

function shuffled<T>(list: readonly T[]): T[] {
  return list
    .map((one) => [Math.random(), one] as const)
    .sort(([a], [b]) => a - b)
    .map(([, one]) => one)
}
