import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { LuciliusError } from '../../lib/transport-kit.js'
import { failed, reasonOf } from './failed.js'
import { enterHolder, holderOf, leaveHolder } from './holder.js'
import { type Database, formatKey } from './keys.js'
import { makeDatabase } from './level.js'

/** A folder with a store in it, open. */
export interface Folder {
  readonly database: Database
  /** What LevelDB left out when it opened the store, because it was damaged, in its words. */
  readonly losses: readonly string[]
  close(): Promise<void>
}

/** The version of what keys.ts says. */
const FORMAT = '1'
/** A store that was ever open has some of these. */
const ofStore = /^(CURRENT|\d+\.(log|ldb|sst))$/
/** What LevelDB and we put into the folder. */
const ofLevel = /^(CURRENT|LOCK|LOG|LOG\.old|MANIFEST-\d+|\d+\.(log|ldb|sst|dbtmp)|holder\.json|ends-\d)$/

/**
 * Opens the store in a folder, and makes it if there is none. Throws `LUC_OPTIONS_INVALID` for a folder that is somebody
 * else's, and `LUC_STORE_FAILED` for one that is open elsewhere, damaged, or written by a newer version.
 */
export async function openFolder(path: string, name: string): Promise<Folder> {
  await checkFiles(path)
  const database = await makeDatabase(path)
  await database.open().catch(async (error: unknown) => {
    throw await cannotOpen(path, error)
  })
  try {
    await checkFormat(path, database)
    await enterHolder(path, name)
    return { database, losses: await lossesIn(path), close: () => close(path, database) }
  } catch (error) {
    await database.close()
    if (error instanceof LuciliusError) throw error
    throw await cannotOpen(path, error)
  }
}

/** Whether there is certainly no store in a folder. */
export async function hasNoStore(path: string): Promise<boolean> {
  const files = await filesOf(path).catch(() => ['CURRENT']) // opening it will say what is wrong
  return !files.some((file) => ofStore.test(file))
}

async function close(path: string, database: Database): Promise<void> {
  await leaveHolder(path)
  await database.close()
}

/** LevelDB makes a new store wherever it finds none, over what is left of an old one and among the files of others. */
async function checkFiles(path: string): Promise<void> {
  const files = await filesOf(path)
  if (files.includes('CURRENT')) return
  const stranger = files.find((file) => !ofLevel.test(file))
  if (stranger !== undefined) throw foreign(path, `there is '${stranger}' in it, and no store`)
  if (files.some((file) => ofStore.test(file))) throw damaged(path, 'the file CURRENT is missing')
}

async function filesOf(path: string): Promise<string[]> {
  try {
    return await readdir(path)
  } catch (error) {
    const { code, text } = reasonOf(error)
    if (code === 'ENOENT') return []
    if (code === 'ENOTDIR') throw foreign(path, 'it is a file')
    throw failed(`The store in ${path} cannot be read: ${text}.`, 'no', error)
  }
}

async function checkFormat(path: string, database: Database): Promise<void> {
  const format = await database.get(formatKey)
  if (format === FORMAT) return
  if (format !== undefined) {
    const text = `it has format ${format}, and this version of lucilius knows format ${FORMAT}`
    throw failed(`The store in ${path} cannot be used: ${text}. Use the version that wrote it.`)
  }
  const [key] = await database.keys({ limit: 1 }).all()
  if (key !== undefined) throw foreign(path, 'there is a LevelDB database of something else in it')
  await database.put(formatKey, FORMAT, { sync: true })
}

async function cannotOpen(path: string, error: unknown): Promise<LuciliusError> {
  const { code, text } = reasonOf(error)
  if (code === 'LEVEL_LOCKED') return isHeld(path, await holderOf(path), error)
  if (code === 'LEVEL_CORRUPTION' || /No such file|Invalid argument/.test(text)) return damaged(path, text, error)
  return failed(`The store in ${path} cannot be opened: ${text}.`, 'no', error)
}

function isHeld(path: string, holder: string, cause: unknown): LuciliusError {
  const cure =
    holder === 'this very process'
      ? 'Give all apps of a process the same object that embedded() returned.'
      : 'An embedded store is for one process: end the other one, or use nats() or amqp() as the store of several.'
  return failed(`The store in ${path} is open in ${holder}. ${cure}`, 'no', cause)
}

function damaged(path: string, what: string, cause?: unknown): LuciliusError {
  const cure = 'Put a back-up in its place, or move the folder away to begin with an empty store.'
  return failed(`The store in ${path} is damaged: ${what}. ${cure}`, 'no', cause)
}

function foreign(path: string, what: string): LuciliusError {
  const text = `embedded: 'path' is a folder for the store alone, and ${path} is not: ${what}. Name a new or empty folder.`
  return new LuciliusError('LUC_OPTIONS_INVALID', text)
}

/** LevelDB leaves out records whose check sums are wrong, and says so in a file only. */
async function lossesIn(path: string): Promise<string[]> {
  const log = await readFile(join(path, 'LOG'), 'utf8').catch(() => '')
  return log.split('\n').filter((line) => /dropping \d+ bytes|Ignoring error/.test(line))
}
