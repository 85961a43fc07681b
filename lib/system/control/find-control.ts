import { lstat, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type ControlClient, connectControl } from './control-client.js'
import { isOwn, runFolders, socketPrefix, speaksAgainst } from './place.js'
import type { About } from './protocol.js'

/** Milliseconds that one who is there takes at most to say so. */
const SIGN_OF_LIFE_MS = 1000

interface Found {
  readonly path: string
  readonly openedAt: number
}

/**
 * Connects to what runs of a system: the newest that answers, and that is wanted. Undefined if nothing is. Sockets that
 * nobody answers any more are removed; a socket or folder of another user is never used.
 */
export async function findControl(
  folder: string,
  runDir?: string,
  isWanted: (about: About) => boolean = () => true,
): Promise<ControlClient | undefined> {
  for (const { path } of await socketsOf(folder, runDir)) {
    const client = await connectOrRemove(path)
    if (client === undefined) continue
    try {
      if (isWanted(await client.about(SIGN_OF_LIFE_MS))) return client
    } catch {
      // It is there and does not answer: stopped, or no socket of ours.
    }
    client.close()
  }
  return undefined
}

/** Removes the sockets of a system that nobody answers any more. */
export async function removeStale(folder: string, runDir?: string): Promise<void> {
  for (const { path } of await socketsOf(folder, runDir)) (await connectOrRemove(path))?.close()
}

/** The sockets of a system, the newest first. */
async function socketsOf(folder: string, runDir: string | undefined): Promise<readonly Found[]> {
  const prefix = `${await socketPrefix(folder)}-`
  const found: Found[] = []
  for (const place of runFolders(runDir)) {
    if ((await speaksAgainst(place)) !== '') continue
    for (const name of await readdir(place)) {
      if (!name.startsWith(prefix) || !name.endsWith('.sock')) continue
      const path = join(place, name)
      const file = await lstat(path).catch(() => undefined) // it may just have been removed
      if (file?.isSocket() === true && isOwn(file)) found.push({ path, openedAt: file.mtimeMs })
    }
  }
  return found.sort((a, b) => b.openedAt - a.openedAt)
}

async function connectOrRemove(path: string): Promise<ControlClient | undefined> {
  try {
    return await connectControl(path)
  } catch (error) {
    const { cause } = error as { cause?: NodeJS.ErrnoException }
    if (cause?.code === 'ECONNREFUSED') await rm(path, { force: true })
    return undefined
  }
}
