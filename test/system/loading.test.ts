import { execFile } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'
import type { Plugin } from '../../lib/app.js'
import { LuciliusError } from '../../lib/errors.js'
import { findSystem } from '../../lib/system/loading/find-system.js'
import { importing } from '../../lib/system/loading/import-module.js'
import { loadPlugin } from '../../lib/system/loading/load-plugin.js'
import { loadSystem } from '../../lib/system/loading/load-system.js'
import { registerTypeScript } from '../../lib/system/loading/register-typescript.js'
import { projectOf } from './loading-project.js'

const run = promisify(execFile)
const registerUrl = new URL('../../lib/register.js', import.meta.url).href
const description = "{ services: { rates: './rates.js' } }"

const importFrom = (folder: string, file: string) => import(pathToFileURL(join(folder, file)).href)

/** The message of what a promise or function fails with, which must be a LuciliusError of this code. */
async function refusal(work: () => unknown, code = 'LUC_OPTIONS_INVALID'): Promise<string> {
  try {
    await work()
  } catch (error) {
    if (error instanceof LuciliusError && error.code === code) return error.message
    throw error
  }
  throw new Error('It did not fail.')
}

/** What a plugin adds, as texts. */
function addedBy(plugin: Plugin): unknown[] {
  const added: unknown[] = []
  const app = { add: (pattern: unknown) => added.push(pattern) }
  if (typeof plugin === 'function') plugin(app as never, undefined)
  else plugin.setup(app as never, undefined)
  return added
}

t.test('a configuration is found under each of its four names', async (t) => {
  for (const ending of ['ts', 'mts', 'js', 'mjs']) {
    const { folder, path } = projectOf(t, { [`lucilius.config.${ending}`]: `export default ${description}` })
    const loaded = await loadSystem({ cwd: folder })
    t.strictSame([...loaded.system.services.keys()], ['rates'])
    t.equal(loaded.file, path(`lucilius.config.${ending}`))
    t.equal(loaded.folder, folder)
  }
})

t.test('a configuration exports its system by default, as system, or as the only thing', async (t) => {
  const types = 'export interface Shape { readonly a: string }\n'
  for (const code of [
    'export default',
    'export const other: Shape = { a: "1" }\nexport const system =',
    'export const shop =',
  ]) {
    const { folder } = projectOf(t, { 'lucilius.config.ts': `${types}${code} ${description}` })
    t.strictSame([...(await loadSystem({ cwd: folder })).system.services.keys()], ['rates'], code)
  }
  const { folder } = projectOf(t, {
    'lucilius.config.ts': `export const one = ${description}\nexport const two = ${description}\nexport class Three {}`,
  })
  t.match(
    await refusal(() => loadSystem({ cwd: folder })),
    /^lucilius[.]config[.]ts: export default defineSystem.* is missing; it exports Three \(a class\), one \(an object\), two \(an object\)[.]$/,
  )
})

t.test('--config names a file or a folder', async (t) => {
  const { folder, path } = projectOf(t, {
    'shop/lucilius.config.ts': `export default ${description}`,
    'other.ts': "export default { root: './lib', services: { convert: './convert.js' } }",
  })
  const inFolder = await loadSystem({ cwd: folder, config: 'shop' })
  t.equal(inFolder.file, path('shop/lucilius.config.ts'))
  t.equal(inFolder.folder, path('shop'))
  const named = findSystem(folder, './other.ts')
  t.strictSame(named, { file: path('other.ts'), folder })
  t.match(
    await refusal(() => loadSystem({ cwd: folder, config: 'gone.ts' })),
    /^There is no configuration .*gone[.]ts[.]$/,
  )
})

t.test('without a configuration every module in services is a service', async (t) => {
  const { folder } = projectOf(t, {
    'services/rates.ts': '',
    'services/convert.js': '',
    'services/rates.test.ts': '',
    'services/types.d.ts': '',
    'services/_shared.ts': '',
    'services/.hidden.ts': '',
    'services/README.md': '',
    'services/helpers/x.ts': '',
  })
  const { system, file } = await loadSystem({ cwd: folder })
  t.equal(file, undefined)
  t.strictSame(
    [...system.services.values()].map(({ name, module }) => [name, module]),
    [
      ['convert', './services/convert.js'],
      ['rates', './services/rates.ts'],
    ],
  )
})

t.test('where there is no system the message says what to create', async (t) => {
  const empty = projectOf(t, {})
  const message = await refusal(() => loadSystem({ cwd: empty.folder }))
  for (const word of ['lucilius.config.{ts,mts,js,mjs}', 'services', 'lucilius new']) t.match(message, word)
  t.notMatch(message, '\n')
  const bare = projectOf(t, { 'services/_one.ts': '' })
  t.match(await refusal(() => loadSystem({ cwd: bare.folder })), /^There is no module in .*services[.] .*lucilius new/)
})

t.test('what is there twice is refused, because either could be meant', async (t) => {
  const configs = projectOf(t, { 'lucilius.config.ts': '', 'lucilius.config.js': '' })
  t.match(
    await refusal(() => loadSystem({ cwd: configs.folder })),
    /both lucilius[.]config[.]ts and lucilius[.]config[.]js/,
  )
  const services = projectOf(t, { 'services/rates.ts': '', 'services/rates.js': '' })
  t.match(
    await refusal(() => loadSystem({ cwd: services.folder })),
    /'rates' is there twice: .*rates[.]js and .*rates[.]ts/,
  )
})

t.test('what is wrong in a description is told with its file, each in a line', async (t) => {
  const { folder } = projectOf(t, { 'lucilius.config.ts': 'export default { services: { rates: 1 }, plugin: {} }' })
  const lines = (await refusal(() => loadSystem({ cwd: folder }))).split('\n')
  t.equal(lines.length, 2)
  for (const line of lines) t.match(line, /^lucilius[.]config[.]ts: /)
})

t.test('a plugin is the default export, the one of its name, or the only function', async (t) => {
  const f = (pattern: string) => `(app: any) => app.add('${pattern}')`
  const { folder } = projectOf(t, {
    'default.ts': `export default ${f('a:1')}\nexport const other = ${f('a:2')}`,
    'named.ts': `export const other = ${f('b:2')}\nexport const named = ${f('b:1')}`,
    'my-rates.ts': `export const other = ${f('c:2')}\nexport const myRates = ${f('c:1')}`,
    'only.ts': `export const limit = 3\nexport class Store {}\nexport const anything = ${f('d:1')}`,
    'object.ts': `export const object = { name: 'object', setup: ${f('e:1')} }`,
    'twice.ts': `export const same = ${f('f:1')}\nexport { same as again }`,
  })
  const load = async (name: string) => addedBy(await loadPlugin(name, `./${name}.js`, folder))
  t.strictSame(await load('default'), ['a:1'])
  t.strictSame(await load('named'), ['b:1'])
  t.strictSame(await load('my-rates'), ['c:1'])
  t.strictSame(await load('only'), ['d:1'])
  t.strictSame(await load('object'), ['e:1'])
  t.strictSame(await load('twice'), ['f:1'], 'two names of one function')
})

t.test('an import function gives the module, or the plugin itself', async (t) => {
  const { folder } = projectOf(t, {
    'rates.ts': "export const rates = (app: any) => app.add('a:1')\nexport const b = () => {}",
  })
  const module = () => importFrom(folder, 'rates.js')
  t.strictSame(addedBy(await loadPlugin('rates', module, folder)), ['a:1'])
  t.strictSame(addedBy(await loadPlugin('x', async () => (await module()).rates, folder)), ['a:1'])
  t.match(
    await refusal(() => loadPlugin('x', async () => 1, folder)),
    /^'x': its import function gave number, not a module/,
  )
})

t.test('a module that is not there is told in one line, with the nearest', async (t) => {
  const { folder } = projectOf(t, { 'services/rates.ts': '', 'services/convert.ts': '' })
  const message = await refusal(() => loadPlugin('rates', './services/rate.js', folder))
  t.match(
    message,
    /^'rates': there is no file .\/services\/rate[.]js, nor rate[.]ts in .*: did you mean services\/rates[.]ts[?]$/,
  )
  t.match(
    await refusal(() => loadPlugin('rates', './services', folder)),
    /is a folder[.].*did you mean .\/services\/convert[.]ts/,
  )
  t.match(await refusal(() => loadPlugin('log', 'a-package', folder)), /\(\) => import\('a-package'\)/)
})

t.test('a module without a plugin is refused with what it exports', async (t) => {
  const { folder } = projectOf(t, {
    'rates.ts': 'export const a = 1\nexport class B {}',
    'empty.ts': '',
    'two.js': 'export const a = () => 1, b = () => 2',
  })
  t.match(
    await refusal(() => loadPlugin('rates', './rates.ts', folder)),
    /it exports B \(a class\), a \(a number\)[.]$/,
  )
  t.match(await refusal(() => loadPlugin('empty', './empty.ts', folder)), /it exports nothing[.]$/)
  t.match(
    await refusal(() => loadPlugin('my-two', './two.js', folder)),
    /under the name 'myTwo'; it exports a \(a function\), b \(a function\)/,
  )
})

t.test('a module that throws is told in one line, with its cause', async (t) => {
  const { folder } = projectOf(t, {
    'rates.ts': "const x: string = 'no'\nthrow new TypeError('bad\\n' + x)",
    'odd.js': 'throw 7',
  })
  const message = await refusal(() => loadPlugin('rates', './rates.js', folder), 'LUC_PLUGIN_FAILED')
  t.equal(message, "'rates' (rates.ts) cannot be loaded: TypeError: bad")
  t.equal(
    await refusal(() => loadPlugin('odd', './odd.js', folder), 'LUC_PLUGIN_FAILED'),
    "'odd' (odd.js) cannot be loaded: number was thrown: 7",
  )
})

t.test('a module that never ends to load is given up', async (t) => {
  await t.rejects(
    importing(() => new Promise(() => {}), 20),
    { message: /^it is not imported after 0.02 s/ },
  )
})

t.test('types are stripped, and syntax that makes code runs', async (t) => {
  registerTypeScript()
  const { folder } = projectOf(t, {
    'a.ts': [
      "import { type Shape, size } from './b.js'",
      "import data from './data.json' with { type: 'json' }",
      'export enum Kind { one = 1, two }',
      'export class Box { constructor(public readonly shape: Shape) {} }',
      'namespace inner { export const deep = 3 }',
      'export const result = [size satisfies number, Kind.two, new Box({ a: 1 }).shape.a, inner.deep, data.x] as const',
    ].join('\n'),
    'b.mts': 'export interface Shape { a: number }\nexport const size: number = 5',
    'b.ts': "export * from './b.mjs'",
    'data.json': '{ "x": 4 }',
  })
  t.strictSame((await importFrom(folder, 'a.js')).result, [5, 2, 1, 3, 4])
})

t.test('a .js file that is there is taken, though a .ts file is there too', async (t) => {
  registerTypeScript()
  const { folder } = projectOf(t, { 'a.ts': "export const a = 'ts'", 'a.js': "export const a = 'js'" })
  t.equal((await importFrom(folder, 'a.js')).a, 'js')
  t.equal((await importFrom(folder, 'a.ts')).a, 'ts')
})

t.test('imports without an ending and of folders fail as in Node, with the name to write', async (t) => {
  registerTypeScript()
  const { folder } = projectOf(t, {
    'bare.ts': "import './other'",
    'folder.ts': "import './lib'",
    'package.ts': "import 'no-such-package'",
    'other.ts': '',
    'lib/index.ts': '',
  })
  const failure = (file: string) => importFrom(folder, file).catch((error) => error)
  t.match(await failure('bare.ts'), {
    code: 'ERR_MODULE_NOT_FOUND',
    message: /Write '.\/other[.]js': imports name the file/,
  })
  t.match(await failure('folder.ts'), { code: 'ERR_UNSUPPORTED_DIR_IMPORT', message: /Write '.\/lib\/index[.]js'/ })
  t.match(await failure('package.ts'), { code: 'ERR_MODULE_NOT_FOUND', message: /no-such-package/ })
})

t.test('TypeScript in node_modules is left to Node', async (t) => {
  registerTypeScript()
  const { folder } = projectOf(t, {
    'a.ts': "import 'p'",
    'node_modules/p/package.json': '{ "type": "module", "exports": "./p.ts" }',
    'node_modules/p/p.ts': 'export {}',
  })
  const error = await importFrom(folder, 'a.ts').catch((thrown) => thrown)
  t.match(error.code, /^ERR_UN(KNOWN_FILE_EXTENSION|SUPPORTED_NODE_MODULES_TYPE_STRIPPING)$/)
})

t.test(
  'stack traces show the line and column of the source, whether its types were stripped or it was transformed',
  async (t) => {
    registerTypeScript()
    const fail =
      "interface A { a: string }\n\nexport function fail(a?: A): never {\n  const x: A | undefined = a; throw new Error('x')\n}\n"
    const { folder, path } = projectOf(t, { 'stripped.ts': fail, 'transformed.ts': `${fail}export enum E { a }\n` })
    for (const file of ['stripped.ts', 'transformed.ts']) {
      const { fail: run } = await importFrom(folder, file)
      const error = await (async () => run())().catch((thrown: Error) => thrown)
      const [, frame = ''] = error.stack.split('\n')
      t.ok(frame.includes(`${path(file)}:4:37`), frame.trim())
    }
  },
)

t.test('node --import lucilius/register runs tests in TypeScript, and the process ends', async (t) => {
  const { folder } = projectOf(t, {
    'rates.ts': 'export const rate: number = 2',
    'rates.test.ts':
      "import test from 'node:test'\nimport { rate } from './rates.js'\ntest('two', () => { if (rate as number !== 2) throw 1 })",
  })
  const { TAP, NODE_TEST_CONTEXT, NODE_OPTIONS, ...env } = process.env
  const { stdout } = await run(process.execPath, ['--import', registerUrl, '--test', 'rates.test.ts'], {
    cwd: folder,
    env,
  })
  t.match(stdout, /pass 1\b/)
  t.match(stdout, /fail 0\b/)
})

t.test('what was stripped is kept for the next process, as long as the source is the same', async (t) => {
  const { folder, write } = projectOf(t, {
    'main.ts':
      "import { e } from './e.js'\nenum E { a, b = 7 }\nconsole.log(e, E.b, new Error('x').stack?.split('\\n')[1])",
    'e.ts': "export const e: string = 'one'",
    'node_modules/.keep': '',
  })
  const env = { ...process.env, NODE_OPTIONS: '' }
  const main = async () =>
    (await run(process.execPath, ['--import', registerUrl, 'main.ts'], { cwd: folder, env })).stdout
  const first = await main()
  t.match(first, /^one 7 .*main[.]ts:3:21/)
  const cache = join(folder, 'node_modules/.cache/lucilius')
  t.ok(existsSync(cache))
  t.equal(readdirSync(cache).length, 2)
  t.equal(await main(), first, 'the same, from what was kept')
  write({ 'main.ts': "console.log('two' as string)" })
  t.equal(await main(), 'two\n')
  t.equal(readdirSync(cache).length, 2, 'one file for each module')
})

t.test('the hooks lie beside the code that registers them', async (t) => {
  const folder = new URL('../../lib/system/loading/', import.meta.url)
  t.ok(existsSync(fileURLToPath(new URL('hooks.js', folder))))
})
