import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'

interface Manifest {
  readonly exports: Readonly<Record<string, string | Readonly<Record<string, string>>>>
}

const root = new URL('../../../', import.meta.url)
const manifest = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as Manifest // our own file
const names = Object.keys(manifest.exports)
  .filter((entry) => !entry.endsWith('.json'))
  .map((entry) => entry.replace(/^\./, 'lucilius'))

/** Makes Node.js print the URL of each module that it loads: ES modules as they load, CommonJS at the end. */
const hook = dataUrl(`
  import { writeSync } from 'node:fs'
  export const load = (url, context, next) => (writeSync(1, url + '\\n'), next(url, context))
`)
const trace = dataUrl(`
  import Module, { register } from 'node:module'
  import { pathToFileURL } from 'node:url'
  register(${JSON.stringify(hook)})
  process.on('exit', () => Object.keys(Module._cache).forEach((path) => console.log(pathToFileURL(path).href)))
`)

t.test('the exports map names files that the build makes', async (t) => {
  for (const [entry, target] of Object.entries(manifest.exports)) {
    for (const file of typeof target === 'string' ? [target] : Object.values(target)) {
      t.ok(existsSync(new URL(file, root)), `${entry} names ${file}`)
    }
  }
})

t.test('the core loads neither fastify nor undici nor ws', async (t) => {
  const urls = await loadedBy('lucilius')
  const loads = (name: string) => urls.some((url) => url.includes(`/node_modules/${name}/`))
  t.ok(loads('patrun'), 'the trace sees what the core does load')
  for (const name of ['fastify', 'undici', 'ws']) t.notOk(loads(name), name)
})

t.test('a published name loads only files that are published', async (t) => {
  for (const name of names) {
    const own = (await loadedBy(name)).filter((url) => !url.includes('/node_modules/'))
    const published = (url: string) => /^build\/(lib|transports|plugins)\//.test(url.slice(root.href.length))
    t.ok(own.length > 0, `${name} loads files of this package`)
    t.same(
      own.filter((url) => !published(url)),
      [],
      `${name} loads no others`,
    )
  }
})

/** What an import loads beyond what an empty program does: tap instruments the processes that tests start. */
async function loadedBy(name: string): Promise<readonly string[]> {
  const before = await loadedIn('')
  const after = await loadedIn(`await import(${JSON.stringify(name)})`)
  return [...after].filter((url) => !before.has(url))
}

async function loadedIn(program: string): Promise<ReadonlySet<string>> {
  const flags = ['--import', trace, '--input-type=module', '--eval', program]
  const { stdout } = await promisify(execFile)(process.execPath, flags, { cwd: fileURLToPath(root) })
  return new Set(stdout.split('\n').filter((line) => line.startsWith('file:')))
}

function dataUrl(program: string): string {
  return `data:text/javascript,${encodeURIComponent(program)}`
}
