import { existsSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import t from 'tap'
import type { Plugin } from '../../lib/app.js'
import { describeLoadError } from '../../lib/system/loading/describe-load-error.js'
import { ImportRecords } from '../../lib/system/loading/import-records.js'
import { loadPlugin } from '../../lib/system/loading/load-plugin.js'
import { loadSystem } from '../../lib/system/loading/load-system.js'
import { CONFIG_OWNER } from '../../lib/system/loading/module-graph.js'
import { registerTypeScript } from '../../lib/system/loading/register-typescript.js'
import type { System } from '../../lib/system/system.js'
import { type Project, projectOf } from './loading-project.js'

const graph = registerTypeScript()

const importUrl = (path: string) => import(pathToFileURL(path).href)

/** Loads every service of a system; gives what each adds. */
async function load({ services }: System, { folder }: Project): Promise<Record<string, unknown>> {
  const added: Record<string, unknown> = {}
  for (const [name, { module }] of services) added[name] = addedBy(await loadPlugin(name, module, folder))
  return added
}

function addedBy(plugin: Plugin): unknown {
  let added: unknown
  const app = { add: (pattern: unknown) => (added = pattern) }
  if (typeof plugin === 'function') plugin(app as never, undefined)
  return added
}

/** Two services with a file between them: `rates` by an import function, `convert` by a path. */
function shop(t: Parameters<typeof projectOf>[0]): Project {
  return projectOf(t, {
    'lucilius.config.ts': [
      "import { limits } from './limits.js'",
      "export default { limits, services: { rates: () => import('./rates.js'), convert: './convert.js' } }",
    ].join('\n'),
    'limits.ts': 'export const limits: object = {}',
    'rates.ts':
      "import { text } from './shared.js'\nimport './own.js'\nexport const rates = (app: any) => app.add('rates ' + text)",
    'own.ts': 'export {}',
    'convert.ts': "import { text } from './shared.js'\nexport const convert = (app: any) => app.add('convert ' + text)",
    'shared.ts': "export const text: string = 'one'",
  })
}

t.test('each file is known by who reaches it: a service, several, the configuration, nobody', async (t) => {
  const project = shop(t)
  const { path } = project
  const { system } = await loadSystem({ cwd: project.folder })
  await load(system, project)
  t.strictSame(await graph.ownersOf(path('own.ts')), ['rates'])
  t.strictSame(await graph.ownersOf(path('convert.ts')), ['convert'])
  t.strictSame(await graph.ownersOf(path('shared.ts')), ['rates', 'convert'], 'in the order of loading')
  t.strictSame(await graph.ownersOf(path('limits.ts')), [CONFIG_OWNER])
  t.strictSame(await graph.ownersOf(path('lucilius.config.ts')), [CONFIG_OWNER])
  t.strictSame(await graph.ownersOf(path('README.md')), [])
  t.same(new Set(await graph.filesOf(CONFIG_OWNER)), new Set([path('lucilius.config.ts'), path('limits.ts')]))
  t.same(new Set(await graph.filesOf('rates')), new Set(['rates.ts', 'shared.ts', 'own.ts'].map(path)))
  t.ok((await graph.files()).includes(path('own.ts')))
  await graph.forget('rates')
  t.strictSame(await graph.ownersOf(path('own.ts')), [])
})

t.test('repeated refreshes see new code, through paths and through import functions', async (t) => {
  const project = shop(t)
  const { system } = await loadSystem({ cwd: project.folder })
  t.strictSame(await load(system, project), { rates: 'rates one', convert: 'convert one' })
  for (const text of ['two', 'three', 'four']) {
    project.write({ 'shared.ts': `export const text: string = '${text}'` })
    const stale = await graph.refresh([project.path('shared.ts')])
    t.same(
      new Set(stale),
      new Set(['shared.ts', 'rates.ts', 'convert.ts'].map(project.path)),
      'the configuration stays',
    )
    t.strictSame(await load(system, project), { rates: `rates ${text}`, convert: `convert ${text}` })
  }
  t.same(new Set(await graph.ownersOf(project.path('shared.ts'))), new Set(['rates', 'convert']))
})

t.test('what strips types can be loaded ahead', async (t) => {
  await t.resolves(graph.warm())
})

t.test('what did not change is the same module after a refresh', async (t) => {
  const { path } = projectOf(t, {
    'a.ts': "export { state } from './state.js'\nexport const a = {}",
    'b.ts': "export { state } from './state.js'",
    'state.ts': 'export const state = {}',
  })
  const [a, b] = [await importUrl(path('a.ts')), await importUrl(path('b.ts'))]
  t.strictSame(await graph.refresh([path('a.ts')]), [path('a.ts')])
  const fresh = await importUrl(path('a.ts'))
  t.not(fresh.a, a.a)
  t.equal(fresh.state, b.state, 'one state for both')
})

t.test('a file of the configuration makes the configuration fresh', async (t) => {
  const project = shop(t)
  await loadSystem({ cwd: project.folder })
  project.write({ 'limits.ts': 'export const limits: object = { maxHops: 7 }' })
  t.ok((await graph.refresh([project.path('limits.ts')])).includes(project.path('lucilius.config.ts')))
  const { system } = await loadSystem({ cwd: project.folder })
  t.match(system.limits, { maxHops: 7 })
  t.strictSame(await load(system, project), { rates: 'rates one', convert: 'convert one' })
  t.strictSame(await graph.ownersOf(project.path('own.ts')), ['rates'], 'import functions are still those of services')
})

t.test('an import that was taken out no longer counts, one that came does', async (t) => {
  const project = projectOf(t, { 'a.ts': "import './b.js'\nexport default () => {}", 'b.ts': '', 'c.ts': '' })
  const { folder, path } = project
  await loadPlugin('a', './a.ts', folder)
  t.strictSame(await graph.ownersOf(path('b.ts')), ['a'])
  project.write({ 'a.ts': "import './c.js'\nexport default () => {}" })
  await graph.refresh([path('a.ts')])
  await loadPlugin('a', './a.ts', folder)
  t.strictSame(await graph.ownersOf(path('b.ts')), [])
  t.strictSame(await graph.ownersOf(path('c.ts')), ['a'])
})

t.test('a broken file can be mended, and a missing one be written', async (t) => {
  const project = projectOf(t, { 'a.ts': "import './b.js'\nexport default () => {}", 'b.ts': 'const x: = 1' })
  const { folder, path } = project
  await t.rejects(loadPlugin('a', './a.ts', folder), { code: 'LUC_PLUGIN_FAILED' })
  t.strictSame(await graph.ownersOf(path('b.ts')), ['a'])
  project.write({ 'b.ts': "import './later.js'" })
  await graph.refresh([path('b.ts')])
  await t.rejects(loadPlugin('a', './a.ts', folder), { code: 'LUC_PLUGIN_FAILED', message: /Cannot find module/ })
  t.strictSame(await graph.ownersOf(path('later.ts')), ['a'])
  t.notOk(existsSync(path('later.ts')))
  project.write({ 'later.ts': 'export {}' })
  await graph.refresh([path('later.ts')])
  t.type(await loadPlugin('a', './a.ts', folder), 'function')
})

t.test('JavaScript, CommonJS and JSON are fresh after a refresh too', async (t) => {
  const project = projectOf(t, {
    'a.js':
      "import b from './b.cjs'\nimport c from './c.json' with { type: 'json' }\nexport const all = [b.b, c.c, import.meta.url]",
    'b.cjs': 'exports.b = 1',
    'c.json': '{ "c": 1 }',
  })
  const { path } = project
  t.strictSame((await importUrl(path('a.js'))).all.slice(0, 2), [1, 1])
  for (const n of [2, 3]) {
    project.write({ 'b.cjs': `exports.b = ${n}`, 'c.json': `{ "c": ${n} }` })
    await graph.refresh([path('b.cjs'), path('c.json')])
    t.strictSame((await importUrl(path('a.js'))).all.slice(0, 2), [n, n])
  }
})

t.test('nobody sees the version of a refreshed module in a stack trace or a message', async (t) => {
  const code = "export interface A { a: 1 }\nexport const where = () => new Error('x').stack\n"
  const project = projectOf(t, {
    'stripped.ts': code,
    'transformed.ts': `${code}export enum E { a }`,
    'plain.js': "\nexport const where = () => new Error('x').stack",
    'broken.js': "import { gone } from './plain.js'",
  })
  for (const file of ['stripped.ts', 'transformed.ts', 'plain.js']) {
    const path = project.path(file)
    const before = (await importUrl(path)).where().split('\n')[1]
    await graph.refresh([path])
    const after = (await importUrl(path)).where().split('\n')[1]
    t.equal(after, before)
    t.ok(after.includes(`${path}:2:28`), after)
  }
  await graph.refresh([project.path('broken.js')])
  const error = await loadPlugin('broken', './broken.js', project.folder).catch((thrown) => thrown)
  t.notMatch(`${error.stack} ${error.cause.stack}`, 'lucilius=')
  t.match(describeLoadError(error, project.folder).message, /[(]broken[.]js:1:10[)]$/)
})

t.test('loads made at the same time do not mix their files', async (t) => {
  const project = projectOf(t, {
    'a.ts': "import './a2.js'\nexport default () => {}",
    'b.ts': "import './b2.js'\nexport default () => {}",
    'a2.ts': '',
    'b2.ts': '',
  })
  const { folder, path } = project
  const functionOf = (file: string) => () => importUrl(path(file))
  await Promise.all([loadPlugin('a', functionOf('a.ts'), folder), loadPlugin('b', functionOf('b.ts'), folder)])
  t.strictSame(await graph.ownersOf(path('a2.ts')), ['a'])
  t.strictSame(await graph.ownersOf(path('b2.ts')), ['b'])
})

t.test('imports in a circle end, and are fresh together', async (t) => {
  const records = new ImportRecords()
  records.begin('one')
  records.imported('a', undefined, 0)
  records.loading('a', 0)
  records.imported('b', 'a', 0)
  records.loading('b', 0)
  records.imported('a', 'b', 0)
  records.end(false)
  t.strictSame([...records.reach('one')], ['a', 'b'])
  t.strictSame(records.refresh(['b']), ['b', 'a'])
  t.equal(records.version('a'), records.version('b'))
})

t.test('what an old version imports late says nothing about the new one', (t) => {
  const records = new ImportRecords()
  records.begin('one')
  records.imported('a', undefined, 0)
  records.loading('a', 0)
  records.end(false)
  records.refresh(['a'])
  records.loading('a', 1)
  records.imported('late', 'a', 0)
  t.strictSame(records.owners('late'), [])
  records.imported('late', 'a', 1)
  t.strictSame(records.owners('late'), ['one'])
  t.end()
})
