import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { invalid } from '../invalid.js'

/** Milliseconds for whoever has it to be gone: a process that was just ended. */
const OTHER_MS = 1_000

/** A folder that one process has for itself. */
export interface Owned {
  /** From here on it is another process that has it. */
  passTo(pid: number): void
  release(): void
}

/**
 * Takes a folder for this process: a file in it has the id of who has it, for as long as that runs. Rejects with
 * `LUC_OPTIONS_INVALID` if somebody else has it, and goes on to.
 */
export async function own(folder: string): Promise<Owned> {
  const file = join(folder, 'owner')
  const mine = `${file}.${process.pid}`
  const write = (pid: number) => writeFileSync(mine, String(pid))
  write(process.pid)
  for (const end = performance.now() + OTHER_MS; !took(mine, file); await pause(20)) {
    const owner = ownerIn(file)
    if (owner === undefined) rmSync(file, { force: true })
    else if (performance.now() > end) {
      rmSync(mine, { force: true })
      throw invalid(`${folder} is in use by the process ${owner}: end that first.`)
    }
  }
  rmSync(mine, { force: true })
  return {
    passTo: (pid) => {
      write(pid)
      renameSync(mine, file)
    },
    release: () => rmSync(file, { force: true }),
  }
}

/** A link appears with its content, or not at all. */
function took(mine: string, file: string): boolean {
  try {
    linkSync(mine, file)
    return true
  } catch {
    return false
  }
}

/** The process that has the folder, if it still runs. */
function ownerIn(file: string): number | undefined {
  try {
    const pid = Number(readFileSync(file, 'utf8'))
    process.kill(pid, 0)
    return pid
  } catch (error) {
    // Somebody else's may not be asked, and is there.
    return (error as NodeJS.ErrnoException).code === 'EPERM' ? Number(readFileSync(file, 'utf8')) : undefined
  }
}
