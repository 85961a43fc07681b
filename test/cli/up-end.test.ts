import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import t from 'tap'
import { findControl } from '../../lib/system/control/find-control.js'
import { folderOf, main, sources, start, started } from './up-program.js'

/** Where replicas make no difference. */
const alone = ['up', '--replicas', 'convert=1']

t.test('Ctrl-C while a system starts ends it at once and in order', async (t) => {
  const hangs = "console.log('hook began'); return new Promise(() => {})"
  const up = start(t, ['up'], {}, { 'rates.mjs': sources['rates.mjs'].replace('/* later */', hangs) })
  await up.until((line) => line.includes('hook began'))
  const began = performance.now()
  up.signalAll('SIGINT')
  t.strictSame(await up.ended, { code: 0, complaints: '' })
  t.ok(performance.now() - began < 5000)
  t.ok(up.isGone())
})

t.test('what goes wrong in a drain is named, and ends it with 1', async (t) => {
  const wrong = [
    [
      "throw new Error('will not close')",
      /^lucilius: rates exited with code 1: .*onClose hook failed: will not close .*\n$/,
    ],
    [
      "setTimeout(() => { throw new Error('at the end') }); return new Promise((go) => setTimeout(go, 100))",
      /^lucilius: rates exited with code 1: at the end .*\n$/,
    ],
  ] as const
  for (const [does, message] of wrong) {
    const up = await started(
      t,
      alone,
      2,
      {},
      { 'rates.mjs': sources['rates.mjs'].replace("console.log('closed')", `{ ${does} }`) },
    )
    up.signal('SIGINT')
    const { code, complaints } = await up.ended
    t.equal(code, 1)
    t.match(complaints, message)
  }
})

t.test('services do not find the secret in their environment, given or not', async (t) => {
  const tells = "app.onReady(() => console.log('secret: ' + process.env.LUCILIUS_SECRET))\n  app.onClose("
  const files = {
    'rates.mjs': sources['rates.mjs'].replace('app.onClose(', tells),
    secret: 'a-secret-of-a-test-only\n',
  }
  for (const env of [{}, { LUCILIUS_SECRET: 'a-secret-of-a-test-only' }, { LUCILIUS_SECRET_FILE: 'secret' }]) {
    const up = await started(t, alone, 2, env, files)
    t.ok(up.lines.some((line) => /^rates +\| secret: undefined$/.test(line)))
    t.match(await up.act('role:convert,cmd:rate'), { rate: 0.9 }, 'the processes share one all the same')
    up.signal('SIGINT')
    t.equal((await up.ended).code, 0)
  }
})

t.test('a system whose output nobody reads any more runs on, and drains when it is told to', async (t) => {
  const folder = folderOf(t, {
    'lucilius.config.mjs': undefined,
    'services/rates.mjs': `import { writeFileSync } from 'node:fs'
export default (app) => {
  app.add('role:rates', () => { console.log('asked'); return 0.9 })
  app.onClose(() => writeFileSync('closed', ''))
}`,
  })
  const runDir = join(folder, 'run')
  const child = spawn(process.execPath, [main, 'up'], {
    cwd: folder,
    env: { ...process.env, LUCILIUS_RUN_DIR: runDir },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  const ended = once(child, 'exit')
  for await (const line of createInterface({ input: child.stdout })) if (line === 'up: 1 process') break
  const client = await findControl(folder, runDir)
  for (const stream of [child.stdout, child.stderr]) stream.destroy()
  for (let asked = 0; asked < 20; asked++) t.equal(await client?.act('role:rates'), 0.9)
  client?.close()
  child.kill('SIGTERM')
  t.strictSame(await ended, [0, null])
  t.ok(existsSync(join(folder, 'closed')))
})
