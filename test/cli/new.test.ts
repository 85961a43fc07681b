import { once } from 'node:events'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import t from 'tap'
import ts from 'typescript'
import { sourceOf } from '../../lib/cli/shop-manifest.js'
import { repoRoot } from '../support/repo-root.js'
import { isOneLine, lucilius } from './fake-io.js'
import { startLucilius } from './process.js'

let before: ts.Program | undefined // of the last check: most of its files are those of the compiler and of Node.js, and stay

const cwd = mkdtempSync(join(tmpdir(), 'lucilius-new-'))
t.teardown(() => rmSync(cwd, { recursive: true, force: true }))

t.test('new writes a system with services, a deployment, a test and what npm needs', async (t) => {
  const { code, stdout, stderr } = await lucilius(['new', 'shop'], { cwd })
  t.strictSame({ code, stderr }, { code: 0, stderr: '' })
  t.strictSame(filesOf(join(cwd, 'shop')), [
    '.gitignore',
    'README.md',
    'contracts.ts',
    'lucilius.config.ts',
    'package.json',
    'services/order.ts',
    'services/stock.ts',
    'test/shop.test.ts',
    'tsconfig.json',
  ])
  const { name, type, scripts, devDependencies } = manifestOf('shop')
  t.match({ name, type }, { name: 'shop', type: 'module' })
  t.strictSame(Object.keys(scripts), ['dev', 'start', 'test', 'check'])
  t.notMatch(JSON.stringify(devDependencies), /"\*"/, 'every tool has a version')
  const ignored = readFileSync(join(cwd, 'shop/.gitignore'), 'utf8').split('\n')
  for (const one of ['node_modules/', '.secret*', '.env*']) t.ok(ignored.includes(one), one)
  for (const step of ['cd shop', 'npm install', 'npm test', 'npx lucilius dev']) t.match(stdout, `  ${step}\n`)
})

t.test('new writes into an empty folder, a repository of git or the folder one is in', async (t) => {
  mkdirSync(join(cwd, 'My Shop!/.git'), { recursive: true })
  const inside = await lucilius(['new', '.'], { cwd: join(cwd, 'My Shop!') })
  t.equal(inside.code, 0)
  t.notMatch(inside.stdout, /cd /)
  t.equal(manifestOf('My Shop!').name, 'my-shop')
  mkdirSync(join(cwd, 'empty'))
  t.equal((await lucilius(['new', 'empty'], { cwd })).code, 0)
})

t.test('new refuses a folder that holds anything, and changes nothing in it', async (t) => {
  mkdirSync(join(cwd, 'full'))
  writeFileSync(join(cwd, 'full/notes.txt'), 'mine')
  const { code, stdout, stderr } = await lucilius(['new', 'full'], { cwd })
  t.strictSame({ code, stdout }, { code: 1, stdout: '' })
  t.ok(isOneLine(stderr), stderr)
  t.match(stderr, /'full' is not empty: it has 'notes\.txt'/)
  t.strictSame(filesOf(join(cwd, 'full')), ['notes.txt'])

  const file = await lucilius(['new', 'full/notes.txt'], { cwd })
  t.equal(file.code, 1)
  t.match(file.stderr, /ENOTDIR/)
})

t.test('the new system depends on the lucilius that wrote it', async (t) => {
  const project = join(cwd, 'project')
  const root = join(project, 'node_modules/lucilius')
  const shop = join(project, 'shop')
  mkdirSync(root, { recursive: true })
  const install = (resolved: string | undefined) => {
    const packages = { 'node_modules/lucilius': { version: '0.1.0', resolved } }
    writeFileSync(join(dirname(root), '.package-lock.json'), JSON.stringify({ packages }))
  }

  t.equal(sourceOf(root, shop), undefined, 'nobody says: the registry')
  install('https://registry.npmjs.org/lucilius/-/lucilius-0.1.0.tgz')
  t.equal(sourceOf(root, shop), undefined, 'from the registry')
  install('file:../packed/lucilius-0.1.0.tgz')
  t.equal(sourceOf(root, shop), 'file:../../packed/lucilius-0.1.0.tgz', 'from a file')
  t.equal(sourceOf(join(cwd, 'clone'), shop), 'file:../../clone', 'from a clone')
})

t.test('the new system type-checks against the package', async (t) => {
  // Below the root of the package, whose types of Node.js it finds, as a user's project finds its own.
  mkdirSync(join(repoRoot(), 'build'), { recursive: true })
  const folder = mkdtempSync(join(repoRoot(), 'build/new-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  await lucilius(['new', 'shop'], { cwd: folder })
  const shop = join(folder, 'shop')
  mkdirSync(join(shop, 'node_modules'))
  symlinkSync(repoRoot(), join(shop, 'node_modules/lucilius'), 'dir')

  t.strictSame(typeErrors(join(shop, 'tsconfig.json')), [])

  const wrong = join(shop, 'services/order.ts')
  writeFileSync(wrong, readFileSync(wrong, 'utf8').replace('{ sku, quantity })', '{ sku })'))
  t.match(typeErrors(join(shop, 'tsconfig.json')), [/quantity/], 'and its contracts are checked')
})

t.test('each group of the new system is started by itself, as the help of start has it', async (t) => {
  mkdirSync(join(repoRoot(), 'build'), { recursive: true })
  const folder = mkdtempSync(join(repoRoot(), 'build/new-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  await lucilius(['new', 'shop'], { cwd: folder })
  const shop = join(folder, 'shop')
  mkdirSync(join(shop, 'node_modules'))
  symlinkSync(repoRoot(), join(shop, 'node_modules/lucilius'), 'dir')
  const config = join(shop, 'lucilius.config.ts')
  const ports = await freePorts(3)
  const described = readFileSync(config, 'utf8')
  writeFileSync(
    config,
    ports.reduce((text, port) => text.replace(/port: (7400|7401|8080)\b/, `port: ${port}`), described),
  )
  const env = { LUCILIUS_SECRET: 'a-secret-of-this-test', LUCILIUS_RUN_DIR: join(folder, 'run') }

  for (const group of ['order', 'stock']) {
    await startLucilius(t, ['start', 'split', '--group', group], { cwd: shop, env }).says(/"msg":"started"/)
  }
  const response = await fetch(`http://127.0.0.1:${ports[2]}/act`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ role: 'order', cmd: 'place', sku: 'apple', quantity: 2 }),
  })
  t.same(await response.json(), { number: 1, sku: 'apple', quantity: 2 })

  const without = startLucilius(t, ['start', 'split', '--group', 'order'], { cwd: shop })
  const { code, stderr } = await without.ended
  t.equal(code, 2)
  t.match(stderr, /LUCILIUS_SECRET.*openssl rand -base64 32/)
})

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'))
  await Promise.all(servers.map((server) => once(server, 'listening')))
  const ports = servers.map((server) => (server.address() as AddressInfo).port) // it listens on a port
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}

function manifestOf(folder: string) {
  return JSON.parse(readFileSync(join(cwd, folder, 'package.json'), 'utf8'))
}

function filesOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .filter((file) => existsSync(join(folder, file)))
    .sort()
}

function typeErrors(config: string): string[] {
  const read = ts.readConfigFile(config, ts.sys.readFile)
  const { options, fileNames } = ts.parseJsonConfigFileContent(read.config, ts.sys, dirname(config))
  before = ts.createProgram(fileNames, options, undefined, before)
  return ts.getPreEmitDiagnostics(before).map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, ' '))
}
