/** A place in a source file. */
export interface SourcePlace {
  /** The path of the file. */
  readonly file: string
  /** From 1. */
  readonly line: number
  /** From 1, in UTF-16 units. */
  readonly column: number
}

/** Puts the place of its cause on an error. It is an own property, because these cross from the thread of the hooks. */
export function markPlace<E extends Error>(error: E, place: SourcePlace): E {
  return Object.assign(error, { luciliusPlace: place })
}

/** The place that {@link markPlace} left. */
export function markedPlace(error: unknown): SourcePlace | undefined {
  if (typeof error !== 'object' || error === null) return undefined
  return (error as { luciliusPlace?: SourcePlace }).luciliusPlace
}

/** Where a text stands first in a source; undefined if it does not. */
export function placeOfText(file: string, source: string, text: string): SourcePlace | undefined {
  const at = source.indexOf(text)
  if (at === -1) return undefined
  const before = source.slice(0, at).split('\n')
  return { file, line: before.length, column: (before.at(-1) ?? '').length + 1 }
}
