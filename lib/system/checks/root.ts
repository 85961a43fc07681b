import { isAbsolute } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Place } from './place.js'

/** The folder that paths are relative to; undefined if the description does not say. */
export function rootAt(place: Place): string | undefined {
  const { value } = place
  if (value === undefined) return undefined
  if (typeof value === 'string' && !value.includes('\0')) {
    if (isAbsolute(value)) return value
    const folder = folderOf(value)
    if (folder !== undefined) return folder
  }
  return place.wrong('import.meta.url, or a folder as an absolute path')
}

function folderOf(url: string): string | undefined {
  try {
    return url.startsWith('file:') ? fileURLToPath(new URL('.', url)) : undefined
  } catch {
    return undefined // a host or an escaped slash in it: no path of this machine
  }
}
