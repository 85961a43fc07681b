import { fileURLToPath } from 'node:url'
import type { TransformOutput } from '@swc/wasm-typescript'
import { markPlace, type SourcePlace } from './source-place.js'

type Stripper = typeof import('@swc/wasm-typescript')

let stripper: Promise<Stripper> | undefined

/** Loads the stripper: 60 to 80 ms, once. Nothing else here waits for it before there is TypeScript to read. */
export function loadStripper(): Promise<Stripper> {
  stripper ??= import('@swc/wasm-typescript')
  return stripper
}

/** JavaScript made from TypeScript. */
export interface Stripped {
  readonly code: string
  /** Whether lines moved, so that stack traces need the source map that `code` ends with. */
  readonly mapped: boolean
}

/**
 * Makes JavaScript of a TypeScript module. Types become spaces, so that every line and column stays. Syntax that makes
 * code (enums, parameter properties, namespaces) is transformed instead, and a source map says where it was.
 *
 * Throws a `SyntaxError` that tells its place.
 */
export async function stripTypes(url: string, source: string): Promise<Stripped> {
  const { transformSync } = await loadStripper()
  try {
    const { code } = transformSync(source, { mode: 'strip-only', module: true, filename: url })
    return { code, mapped: false }
  } catch (error) {
    if (!isUnsupported(error)) throw syntaxError(url, source, error)
  }
  try {
    // Imports and class fields are left as strip-only leaves them: what a file means must not hang on an enum in it.
    const transform = { verbatimModuleSyntax: true, nativeClassProperties: true }
    return mapped(transformSync(source, { mode: 'transform', module: true, filename: url, sourceMap: true, transform }))
  } catch (error) {
    throw syntaxError(url, source, error)
  }
}

/** Where a JavaScript or TypeScript file breaks the syntax; undefined if it does not. V8 says so for scripts only. */
export async function findSyntaxError(url: string, source: string): Promise<SourcePlace | undefined> {
  const { transformSync } = await loadStripper()
  try {
    transformSync(source, { mode: 'transform', module: true, filename: url })
    return undefined
  } catch (error) {
    return placeOf(url, error)
  }
}

function mapped({ code, map = '' }: TransformOutput): Stripped {
  const inline = Buffer.from(map).toString('base64')
  return { code: `${code}\n//# sourceMappingURL=data:application/json;base64,${inline}`, mapped: true }
}

/** What the stripper throws: a plain object. Lines count from 1, columns from 0. */
interface Refusal {
  readonly code: string
  readonly message: string
  readonly startLine?: number
  readonly startColumn?: number
}

function isRefusal(error: unknown): error is Refusal {
  if (typeof error !== 'object' || error === null || error instanceof Error) return false
  const { code, message } = error as { code?: unknown; message?: unknown }
  return typeof code === 'string' && typeof message === 'string'
}

function isUnsupported(error: unknown): boolean {
  return isRefusal(error) && error.code === 'UnsupportedSyntax'
}

function placeOf(url: string, error: unknown): SourcePlace | undefined {
  if (!isRefusal(error) || error.startLine === undefined) return undefined
  return { file: fileURLToPath(url), line: error.startLine, column: (error.startColumn ?? 0) + 1 }
}

function syntaxError(url: string, source: string, error: unknown): unknown {
  if (!isRefusal(error)) return error
  const result = new SyntaxError(error.message)
  const place = placeOf(url, error)
  if (place === undefined) return result
  // The form in which Node shows such errors, for whoever prints the stack.
  const line = source.split('\n')[place.line - 1] ?? ''
  const head = `${place.file}:${place.line}\n${line}\n${' '.repeat(place.column - 1)}^\n\n`
  result.stack = `${head}SyntaxError: ${error.message}`
  return markPlace(result, place)
}
