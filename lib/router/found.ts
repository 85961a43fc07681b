import type { Entry } from './entry.js'

/** The entries that were found so far; undefined while there is none. */
export type Found<T> = Entry<T>[] | undefined

/**
 * A list with one more entry, which may be the same list.
 *
 * Most events match one pattern, and a list that grows from nothing at once takes room for 17 entries
 * (`npm run bench -- remote --only E:lucilius#websocket`).
 */
export function withEntry<T>(list: Found<T>, entry: Entry<T>): Entry<T>[] {
  if (list === undefined) return [entry]
  list.push(entry)
  return list
}
