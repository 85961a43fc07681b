import {
  mkdirSync,
  mkdtempSync,
  realpathSync,
  renameSync,
  rmSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { Changes } from '../../lib/cli/dev/changes.js'
import { Watch } from '../../lib/cli/dev/watch.js'
import { eventually } from './dev-program.js'

t.setTimeout(60_000)

t.test('files that are saved at about the same time are one change, each named once', async (t) => {
  const changes = new Changes()
  const complete = changes.wait()
  for (const file of ['a', 'b', 'a']) changes.push(file)
  await complete
  t.strictSame(changes.take(), ['a', 'b'])
  t.strictSame(changes.take(), [])
  changes.push('c')
  await changes.wait()
  await changes.wait()
  t.strictSame(changes.take(), ['c'], 'it waits until it is taken')
})

t.test('a change is told though files never stop changing', async () => {
  const changes = new Changes()
  const noise = setInterval(() => changes.push('log'), 5)
  try {
    await changes.wait()
  } finally {
    clearInterval(noise)
  }
})

t.test('a file counts that is written, replaced, removed, or not there yet; its neighbours do not', async (t) => {
  const watched = await watching(t, { 'a.ts': '', 'b.ts': '', 'c.txt': '' })
  watched.watch.set({ files: [watched.at('a.ts'), watched.at('later.ts'), watched.at('in/deep/d.ts')], folders: [] })
  await watched.isReady()
  writeFileSync(watched.at('b.ts'), 'b')
  writeFileSync(watched.at('c.txt'), 'c')
  writeFileSync(watched.at('new.ts'), 'n')
  writeFileSync(watched.at('a.ts'), 'a')
  await watched.heard('a.ts')
  t.notOk(['b.ts', 'c.txt', 'new.ts'].some((name) => watched.names().includes(name)))
  writeFileSync(watched.at('a.tmp'), 'aa')
  renameSync(watched.at('a.tmp'), watched.at('a.ts'))
  await watched.heard('a.ts')
  unlinkSync(watched.at('a.ts'))
  await watched.heard('a.ts')
  writeFileSync(watched.at('a.ts'), 'again')
  await watched.heard('a.ts')
  writeFileSync(watched.at('later.ts'), '')
  await watched.heard('later.ts')
  mkdirSync(watched.at('in/deep'), { recursive: true })
  writeFileSync(watched.at('in/deep/d.ts'), '')
  await watched.heard('in/deep/d.ts')
  writeFileSync(watched.at('in/deep/d.ts'), 'd')
  await watched.heard('in/deep/d.ts')
})

t.test(
  'settings and descriptions next to the description count, and in a folder of services every module',
  async (t) => {
    const watched = await watching(t, { 'services/a.ts': '', 'services/notes.md': '' })
    watched.watch.set({ files: [], folders: [watched.at('services')] })
    await watched.isReady()
    for (const name of [
      '.env',
      '.env.local',
      'package.json',
      'lucilius.config.ts',
      'services/b.mjs',
      'services/a.ts',
    ]) {
      writeFileSync(watched.at(name), 'x')
      await watched.heard(name)
    }
    writeFileSync(watched.at('services/notes.md'), 'x')
    writeFileSync(watched.at('services/c.js'), 'x')
    await watched.heard('services/c.js')
    t.notOk(watched.names().includes('services/notes.md'))
  },
)

t.test('a file that was written while it was being read has changed, an older one has not', async (t) => {
  const watched = await watching(t, { 'a.ts': '', 'old.ts': '' })
  utimesSync(watched.at('a.ts'), Date.now() / 1000 + 5, Date.now() / 1000 + 5)
  watched.watch.set({ files: [watched.at('a.ts'), watched.at('old.ts')], folders: [] })
  await watched.heard('a.ts')
  t.notOk(watched.names().includes('old.ts'))
})

t.test('a module that came before the watcher was ready is one that has come', async (t) => {
  const watched = await watching(t, { 'services/a.ts': '', 'services/new.ts': '' })
  utimesSync(watched.at('services/new.ts'), Date.now() / 1000 + 5, Date.now() / 1000 + 5)
  watched.watch.set({ files: [watched.at('services/a.ts')], folders: [watched.at('services')] })
  await watched.heard('services/new.ts')
  t.notOk(watched.names().includes('services/a.ts'))
})

/** A folder with files, and a watcher whose root it is. */
async function watching(t: Test, files: { readonly [path: string]: string }) {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'lucilius-watch-')))
  const at = (path: string) => join(folder, path)
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(at(path), '..'), { recursive: true })
    writeFileSync(at(path), text)
  }
  const heard: string[] = []
  const watch = new Watch(folder, Date.now() + 1000, {
    changed: (file) => void heard.push(file),
    failed: (error) => t.error(error),
  })
  t.teardown(async () => {
    await watch.close()
    rmSync(folder, { recursive: true, force: true })
  })
  const hears = async (name: string) => {
    await eventually(() => heard.includes(at(name)))
    t.ok(heard.includes(at(name)), `${name} is heard of`)
    // Systems tell of one write more than once.
    await new Promise((resolve) => setTimeout(resolve, 150))
    heard.length = 0
  }
  return {
    watch,
    at,
    heard: hears,
    names: () => heard.map((file) => file.slice(folder.length + 1)),
    /** The watcher says when it looks: by then a file of its own is heard of. */
    isReady: async () => {
      const file = at('.env.ready')
      await eventually(() => {
        writeFileSync(file, String(Math.random()))
        return heard.includes(file)
      })
      await new Promise((resolve) => setTimeout(resolve, 150))
      heard.length = 0
    },
  }
}
