import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { type ControlClient, findControl } from '../../lib/system/control/index.js'
import { type Host, skipWithoutNamespaces, twoHosts } from '../support/namespaces.js'
import { SECRET, until } from './processes.js'

const program = fileURLToPath(new URL('./start-child.js', import.meta.url))
const skip = skipWithoutNamespaces()

const description = {
  name: 'currency',
  services: { rates: './rates.mjs', convert: './convert.mjs' },
  deployments: {
    lan: {
      groups: {
        rates: { services: ['rates'], listen: { host: '0.0.0.0', port: 7401 } },
        convert: { services: ['convert'], listen: { host: '0.0.0.0', port: 0 } },
      },
      discovery: { multicast: true },
    },
  },
}

const services = {
  rates: `export default (app) => void app.add('role:rates,cmd:get', () => ({ pid: process.pid }))`,
  convert: `export default (app) => void app.add('role:convert', (message, { act }) => act('role:rates,cmd:get'))`,
}

t.test('processes on two hosts find each other without an address anywhere, and converse', { skip }, async (t) => {
  const { hosts, plug } = await twoHosts(t)
  const [left, right] = hosts
  const start = starter(t)
  const [convert, rates, stranger] = await Promise.all([
    start(left, 'convert'),
    start(right, 'rates'),
    start(right, 'convert', 'a-secret-of-somebody-else'),
  ])
  await plug()
  t.strictSame(await convert.act(), { pid: rates.child.pid }, 'soon after they got a network')

  rates.child.kill('SIGKILL')
  await once(rates.child, 'exit')
  const later = await start(right, 'rates')
  const began = performance.now()
  t.strictSame(await convert.act(), { pid: later.child.pid }, 'and so does who comes after it has died')
  t.ok(performance.now() - began < 2000)

  await t.rejects(stranger.act(200), { code: /^LUC_/ }, 'whoever has another secret finds nobody')
  await until(() => convert.warned('datagrams were ignored'))
})

interface Started {
  readonly child: ChildProcess
  /** Asks its app to convert. */
  act(timeoutMs?: number): Promise<unknown>
  /** Whether a warning begins like this. */
  warned(msg: string): boolean
}

/** Starts processes on hosts, with `lucilius start`, until the test ends. */
function starter(t: Test) {
  const place = mkdtempSync(join(tmpdir(), 'luc-'))
  t.teardown(() => rmSync(place, { recursive: true, force: true }))
  const folder = join(place, 'system')
  mkdirSync(folder)
  writeFileSync(join(folder, 'lucilius.config.mjs'), `export default ${JSON.stringify(description)}`)
  for (const [name, text] of Object.entries(services)) writeFileSync(join(folder, `${name}.mjs`), text)
  let count = 0
  return async ({ command }: Host, group: string, secret = SECRET): Promise<Started> => {
    count++
    const runDir = join(place, `run-${count}`)
    const [enter = '', ...there] = command
    const child = spawn(enter, [...there, process.execPath, program, 'lan', group], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env.PATH, LUCILIUS_RUN_DIR: runDir, LUCILIUS_SECRET: secret },
    })
    const lines: { readonly level: number; readonly msg: string }[] = []
    createInterface({ input: child.stdout }).on('line', (line) => lines.push(JSON.parse(line)))
    child.stderr.on('data', (text) => t.comment(String(text)))
    t.teardown(() => child.kill('SIGKILL'))
    const hasStarted = () => lines.some(({ msg }) => msg === 'started')
    await until(() => hasStarted() || child.exitCode !== null, 10_000)
    // It has started, so there is one.
    const control = (await findControl(folder, runDir)) as ControlClient
    t.teardown(() => control.close())
    return {
      child,
      act: (timeoutMs = 8000) => control.act('role:convert', { timeoutMs }),
      warned: (msg) => lines.some((line) => line.level === 40 && line.msg.startsWith(msg)),
    }
  }
}
