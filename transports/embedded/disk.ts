import type { LuciliusError } from '../../lib/transport-kit.js'
import { applyEnd, Ends } from './ends.js'
import { failed, reasonOf } from './failed.js'
import type { Folder } from './folder.js'
import type { Database } from './keys.js'
import { Writer } from './writer.js'

/** Where a store reads and writes. */
export interface Disk {
  readonly database: Database
  readonly writer: Writer
  readonly ends: Ends
}

/**
 * Brings into LevelDB what ended just before the process did. Nothing may have been delivered before. Rejects with
 * `LUC_STORE_FAILED`.
 */
export async function openDisk(
  path: string,
  { database }: Folder,
  onFailure: (error: LuciliusError) => void,
): Promise<Disk> {
  const writer = new Writer(database, onFailure)
  const { ends, noted } = notesIn(path)
  try {
    if (noted.length > 0) {
      await writer.write((batch) => noted.forEach((end) => void applyEnd(batch, end)), { sync: true })
    }
    ends.clear()
  } catch (error) {
    ends.close(false)
    throw error
  }
  return { database, writer, ends }
}

function notesIn(path: string): ReturnType<typeof Ends.open> {
  try {
    return Ends.open(path)
  } catch (error) {
    throw failed(`The store in ${path} cannot be opened: ${reasonOf(error).text}.`, 'no', error)
  }
}
