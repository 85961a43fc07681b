import { readFileSync } from 'node:fs'
import { relative } from 'node:path'
import { LuciliusError } from '../../errors.js'
import { codeFrame } from './code-frame.js'
import { placeOfError } from './error-place.js'
import { firstLineOf } from './first-line.js'
import type { SourcePlace } from './source-place.js'

/** What a person has to know of a failed load. */
export interface LoadErrorDescription {
  /** What went wrong and, if it is known, `(file:line:column)`: one line, or one for each problem of a description. */
  readonly message: string
  /** The lines of source around the place, plain text. */
  readonly frame?: string
  /** The place in the project. */
  readonly place?: SourcePlace
}

const deepest = 8 // causes that are followed

/**
 * Says what went wrong while a system was loaded or set up, and where in the project: in its source, not in ours.
 * Paths are relative to the folder. Takes anything thrown.
 */
export function describeLoadError(error: unknown, folder: string = process.cwd()): LoadErrorDescription {
  const message = problemsOf(error) ?? firstLineOf(error) + hintFor(error)
  // The innermost error that has a place is the cause of the others.
  const place = causesOf(error)
    .flatMap((cause) => placeOfError(cause, folder) ?? [])
    .at(-1)
  if (place === undefined) return { message }
  const at = `${relative(folder, place.file)}:${place.line}:${place.column}`
  const where = `${message} (${at})`
  const frame = codeFrame(sourceOf(place.file), place.line, place.column)
  return frame === undefined ? { message: where, place } : { message: where, frame, place }
}

/** The lines of `defineSystem`, which tells all problems at once. */
function problemsOf(error: unknown): string | undefined {
  if (!(error instanceof LuciliusError)) return undefined
  const { problems } = (error.details ?? {}) as { problems?: unknown }
  return Array.isArray(problems) ? error.message : undefined
}

function causesOf(error: unknown): unknown[] {
  const causes = [error]
  for (let next = error; next instanceof Error && next.cause !== undefined && causes.length < deepest; ) {
    next = next.cause
    causes.push(next)
  }
  return causes
}

function hintFor(error: unknown): string {
  const said = causesOf(error).map(firstLineOf).join('\n')
  if (/does not provide an export named/.test(said)) return ' If it is a type, write import type.'
  return ''
}

function sourceOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return '' // the frame is help, not the error itself
  }
}
