import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { repoRoot } from '../support/repo-root.js'
import { type Started, startProgram } from './process.js'

// What a newcomer does, with the package as it would be published. It installs packages, which may take a while.
t.setTimeout(300_000)

const folder = mkdtempSync(join(tmpdir(), 'luc-packed-'))
const shop = join(folder, 'shop')
/** What npx runs, once it has been seen to: npx takes longer than the command, and ends by a signal without its exit code. */
const bin = join(shop, 'node_modules/.bin/lucilius')
mkdirSync(join(folder, 'run'), { mode: 0o700 })
t.teardown(() => rmSync(folder, { recursive: true, force: true }))

/** Free ports, and a folder of its own for control sockets: nothing of another run is met. */
const world = { LUCILIUS_RUN_DIR: join(folder, 'run'), LUCILIUS_HTTP_PORT: '0', NO_COLOR: '1' }
const quick = ['--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts']
const place = 'role:order,cmd:place,sku:apple,quantity:2'

t.test('from an empty folder to a tested system that runs, with the packed package', { bail: true }, async (t) => {
  const [packed] = JSON.parse(await npm(repoRoot(), 'pack', '--json', '--ignore-scripts', '--pack-destination', folder))
  await npm(folder, 'init', '--yes')
  await npm(folder, 'install', ...quick, join(folder, packed.filename))
  t.match(await npx(folder, 'new', 'shop'), 'cd shop')

  await npm(shop, 'install', ...quick)
  t.match(await npm(shop, 'test'), /^# fail 0$/m, 'its own tests pass')
  await npm(shop, 'run', 'check')
  t.match(await npx(shop, 'plan'), 'Nothing is wrong', 'its plan is in order')
})

t.test('lucilius dev of the new system answers act, list and explain from another terminal, and drains', async (t) => {
  const dev = startProgram(t, bin, ['dev'], { cwd: shop, env: world })
  await dev.says(/http:\/\/127\.0\.0\.1:\d+/)
  t.strictSame(JSON.parse(await lucilius('act', place)), { number: 1, sku: 'apple', quantity: 2 })
  t.strictSame(JSON.parse(await lucilius('act', place)), { number: 2, sku: 'apple', quantity: 2 }, 'the same process')
  t.match(await lucilius('list', 'role:stock'), 'cmd:take,role:stock')
  t.match(await lucilius('explain', place), /winner +cmd:place,role:order/)

  const [url = ''] = /http:\/\/127\.0\.0\.1:\d+/.exec(dev.printed()) ?? []
  t.match(JSON.parse(await lucilius('act', '--url', url, place)), { number: 3 }, 'and from outside')
  await t.rejects(
    lucilius('act', '--url', url, 'role:stock,cmd:left,sku:apple'),
    { code: 1 },
    'what is not exposed is not',
  )
  await end(t, dev)
})

t.test('lucilius up of the new system answers from processes of its own, and leaves nothing behind', async (t) => {
  const up = startProgram(t, bin, ['up', 'split'], { cwd: shop, env: world })
  await up.says(/up: 2 processes/)
  t.strictSame(JSON.parse(await lucilius('act', place)), { number: 1, sku: 'apple', quantity: 2 })
  t.match(await lucilius('list'), /cmd:take,role:stock +stock +in stock/)
  await end(t, up)
  t.strictSame(readdirSync(join(folder, 'run')), [], 'no socket')
  t.strictSame(processesWith(shop), [], 'no process')
})

/** Ctrl-C, as a terminal sends it to the whole group. */
async function end(t: Test, { child, ended }: Started): Promise<void> {
  if (child.pid !== undefined) process.kill(-child.pid, 'SIGINT')
  t.match(await ended, { code: 0 })
}

function npm(cwd: string, ...argv: string[]): Promise<string> {
  return exec('npm', argv, cwd)
}

function lucilius(...argv: string[]): Promise<string> {
  return exec(bin, argv, shop)
}

function npx(cwd: string, ...argv: string[]): Promise<string> {
  return exec('npx', ['--no-install', 'lucilius', ...argv], cwd)
}

async function exec(file: string, argv: readonly string[], cwd: string): Promise<string> {
  const { code, stdout, stderr } = await startProgram(t, file, argv, { cwd, env: world }).ended
  if (code === 0) return stdout
  throw Object.assign(new Error(`${file} ${argv.join(' ')} ended with ${code}:\n${stdout}\n${stderr}`), { code })
}

/** The processes that run in a folder; where there is no /proc, none is seen. */
function processesWith(cwd: string): string[] {
  try {
    return readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && commandOf(pid).includes(cwd))
  } catch {
    return []
  }
}

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    return '' // it has just ended
  }
}
