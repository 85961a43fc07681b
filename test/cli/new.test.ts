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
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import t from 'tap'
import ts from 'typescript'
import { sourceOf } from '../../lib/cli/shop-manifest.js'
import { repoRoot } from '../support/repo-root.js'
import { isOneLine, lucilius } from './fake-io.js'

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
  t.match(readFileSync(join(cwd, 'shop/.gitignore'), 'utf8'), /^node_modules\/$/m)
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
