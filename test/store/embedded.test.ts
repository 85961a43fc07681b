import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { embedded } from '../../transports/embedded/index.js'
import type { StoreStage } from './stage.js'
import { storeSuite } from './store-suite.js'

/** A folder that goes when the test ends. */
function folder(t: Test): string {
  const path = mkdtempSync(join(tmpdir(), 'lucilius-embedded-'))
  t.teardown(() => rmSync(path, { recursive: true, force: true }))
  return path
}

/** What the files hold at this moment is what a dead process leaves; the living one goes on beside it, unseen. */
function copyAsLeft(from: string, to: string): void {
  const before = readdirSync(from).join()
  try {
    cpSync(from, to, { recursive: true })
    if (readdirSync(from).join() === before) return
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
  rmSync(to, { recursive: true, force: true }) // LevelDB was tidying up: what was copied is of two moments
  copyAsLeft(from, to)
}

const stage: StoreStage = {
  name: 'embedded',
  recoversMs: 500,
  lacks: {
    'crashing-alone': 'all instances of an embedded store are in one process and crash together',
    outage: 'an embedded store is in the process itself, and never away from it',
  },
  runs: Number(process.env.RUNS ?? 60),
  place: async (t) => {
    const root = folder(t)
    let lives = 0
    let store = embedded({ path: join(root, '0') })
    return {
      open: async (host) => {
        const open = await store.openStore(host)
        const crash = async () => {
          const left = join(root, `${lives}`)
          lives++
          copyAsLeft(left, join(root, `${lives}`))
          store = embedded({ path: join(root, `${lives}`) })
          t.teardown(() => open.close())
        }
        return { store: open, crash }
      },
    }
  },
}

storeSuite(t, stage)
