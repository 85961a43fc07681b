import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isMessage } from '../../lib/transport-kit.js'

const fileOf = (path: string) => join(path, 'holder.json')

/** Writes into the folder who has it open, for whoever is refused. */
export async function enterHolder(path: string, name: string): Promise<void> {
  const holder = { pid: process.pid, name, since: new Date().toISOString() }
  await writeFile(fileOf(path), `${JSON.stringify(holder)}\n`)
}

/** Takes it out again. */
export async function leaveHolder(path: string): Promise<void> {
  await rm(fileOf(path), { force: true })
}

/** Who has the folder open, in words. */
export async function holderOf(path: string): Promise<string> {
  const holder = await read(path)
  if (!isMessage(holder) || typeof holder.pid !== 'number') return 'another process'
  if (holder.pid === process.pid) return 'this very process'
  return `process ${holder.pid} ('${holder.name}', since ${holder.since})`
}

async function read(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(fileOf(path), 'utf8'))
  } catch {
    return undefined // not there, or being written
  }
}
