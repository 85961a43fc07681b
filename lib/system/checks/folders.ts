import type { Place } from './place.js'

/** What a folder within that of the description may be called. */
export const folderRule =
  "a folder within that of the description, such as 'data' or 'var/data': letters, digits, '.', '_' and '-', no '..'"

/**
 * A folder below another one, as exports write it into files of four syntaxes: `./data/` is `data`. Undefined for what is
 * none: an absolute path, one that leads out, or one that has to be quoted somewhere.
 */
export function innerFolder(path: unknown): string | undefined {
  if (typeof path !== 'string') return undefined
  const folder = path.replace(/^\.\//, '').replace(/\/$/, '')
  return folder.split('/').every((part) => /^\.?\w[\w.-]*$/.test(part)) ? folder : undefined
}

/** Folders that are written to; none if there is no list. */
export function foldersAt(place: Place): readonly string[] {
  if (place.value !== undefined && !Array.isArray(place.value)) place.expected("a list of folders such as ['data']")
  return Object.freeze(place.elements().flatMap((one) => innerFolder(one.value) ?? one.expected(folderRule) ?? []))
}
