import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { fileUrlOf, isProjectUrl, withoutVersions } from './module-url.js'
import { markPlace, placeOfText } from './source-place.js'

const endings = ['.ts', '.js', '.mts', '.mjs', '/index.ts', '/index.js']

/** Gives an import that found nothing its place in the importing file, and what was most likely meant. */
export function explainUnresolved(error: unknown, specifier: string, parent: string | undefined): unknown {
  if (!(error instanceof Error)) return error
  const from = parent !== undefined && isProjectUrl(parent) ? fileUrlOf(parent) : undefined
  const meant = from === undefined ? undefined : meantBy(specifier, from)
  const hint = meant === undefined ? '' : ` Write '${meant}': imports name the file with its ending.`
  error.message = withoutVersions(error.message) + hint
  if (from === undefined) return error
  const file = fileURLToPath(from)
  const source = readSource(file)
  const place = placeOfText(file, source, `'${specifier}'`) ?? placeOfText(file, source, `"${specifier}"`)
  return place === undefined ? error : markPlace(error, place)
}

function meantBy(specifier: string, from: string): string | undefined {
  if (!/^[.]{1,2}\//.test(specifier)) return undefined
  const path = specifier.replace(/\/$/, '')
  const ending = endings.find((end) => existsSync(new URL(path + end, from)))
  return ending === undefined ? undefined : path + ending.replace(/ts$/, 'js')
}

function readSource(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return '' // the place is help, not the error itself
  }
}
