import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import type { ControlClient } from '../../lib/system/control/index.js'
import { findControl } from '../../lib/system/control/index.js'
import { type Started, startLucilius } from '../cli/process.js'
import { skipWithout } from '../support/brokers.js'
import { repoRoot } from '../support/repo-root.js'
import { underLoad, yenFor } from './conversions.js'
import { within } from './within.js'

const folder = join(repoRoot(), 'examples/currency')
const counted = fileURLToPath(new URL('./counted.config.js', import.meta.url))

t.test('a service knows no transport, process, host or port', async (t) => {
  const services = readdirSync(folder).filter((file) => file.endsWith('.ts') && file !== 'lucilius.config.ts')
  t.strictSame(services.sort(), ['client.ts', 'contracts.ts', 'convert.ts', 'market.ts', 'rates.ts', 'yen.ts'])
  for (const file of services) {
    const source = readFileSync(join(folder, file), 'utf8')
    const code = source.replaceAll(/\/\*.*?\*\/|\/\/.*$/gms, '')
    const imports = [...code.matchAll(/(?:from|import)\s*\(?'([^']*)'/g)].map(([, name]) => name)
    t.strictSame(
      imports.filter((name) => name !== 'lucilius' && name !== './contracts.js'),
      [],
      file,
    )
    t.notMatch(code, /\b(https?|wss?|websocket|transport|process|host|port|url|listen|connect|replicas?|env)\b/i, file)
    t.ok(source.split('\n').length <= 60, `${file} is short`)
  }
})

// Most of the time they wait for processes, so they run side by side.
t.jobs = 4

t.test('there is nothing that a plan would find wrong with a deployment', async (t) => {
  const { code, stdout, stderr } = await lucilius(t, ['plan', '--strict', '--json']).ended
  t.equal(code, 0)
  t.equal(stderr, '')
  const plans = ['dev', 'split', 'over-http', 'nats', 'amqp', 'lan'].map((deployment) => ({ deployment, findings: [] }))
  t.match(JSON.parse(stdout), { findings: [], plans })
})

for (const [deployment, signal, skip] of [
  ['split', 'SIGINT', false],
  ['over-http', 'SIGTERM', false],
  ['nats', 'SIGINT', skipWithout('nats-server')],
] as const) {
  t.test(
    `${deployment}: two convert, one of them is killed, no conversion fails, and ${signal} ends all`,
    { skip },
    async (t) => {
      const up = lucilius(t, ['up', deployment], counted)
      await up.says(/^up: 5 processes$/m)
      await up.says(/^market .*simulated/m)
      await up.says(/^client .*100 usd = [\d.]+ eur .* 100 chf = \d+ jpy$/m)

      const control = await controlOf(t, dirname(counted), up)
      const load = underLoad(control)
      await up.says(/^convert\.1 \| answered \d/m)
      await up.says(/^convert\.2 \| answered \d/m)

      const doors = [...up.printed().matchAll(/^convert\.\d .*\bhttp at (http:\S+)$/gm)].map(([, url = '']) => url)
      t.equal(doors.length, 2)
      await within(5000, async () => {
        // Again and again: the market may have asked before and set after it.
        await control.act('role:rates,cmd:set,currency:jpy,rate:100000')
        const amounts = await Promise.all(doors.map(yenFor))
        return amounts.every((amount) => amount > 50_000)
      })

      const { pid = 0 } = (await control.about()).processes.find(({ id }) => id === 'convert.1') ?? {}
      process.kill(pid, 'SIGKILL')
      const before = load.answers()
      await up.says(/^convert\.1 .*SIGKILL; starts again in 0\.1 s$/m)
      await up.says(/^convert\.1 .*SIGKILL(.|\n)*^convert\.1 \| ready/m)
      await within(5000, async () => load.answers() > before + 50)
      t.strictSame(await load.stop(), [])
      t.notMatch(up.printed(), /no answer/, 'nor did one of the client')

      process.kill(-(up.child.pid ?? 0), signal) // As a terminal does it, to all of them.
      t.match(await up.ended, { code: 0, stderr: '' })
      t.throws(() => process.kill(-(up.child.pid ?? 0), 0), { code: 'ESRCH' }, 'no process is left')
      t.strictSame(readdirSync(up.runDir), [], 'no socket is left')
    },
  )
}

/** Starts a command on the system, with a folder of its own for sockets. */
function lucilius(t: Test, args: readonly string[], config = folder): Started & { readonly runDir: string } {
  const runDir = mkdtempSync(join(tmpdir(), 'lucilius-example-'))
  t.teardown(() => rmSync(runDir, { recursive: true, force: true }))
  const started = startLucilius(t, [...args, '--config', config], {
    cwd: repoRoot(),
    env: { LUCILIUS_RUN_DIR: runDir },
  })
  return { ...started, runDir }
}

async function controlOf(t: Test, where: string, { runDir }: { readonly runDir: string }): Promise<ControlClient> {
  const control = await findControl(where, runDir)
  if (control === undefined) throw new Error('There is no control socket.')
  t.teardown(() => control.close())
  return control
}
