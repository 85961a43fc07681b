import { readFile } from 'node:fs/promises'
import { pathToFileURL } from 'node:url'
import { describeLoadError } from '../loading/describe-load-error.js'
import { isTypeScript } from '../loading/module-url.js'
import { stripTypesOnce } from '../loading/strip-cache.js'
import type { Failure } from './outcome.js'

/**
 * What breaks the syntax of TypeScript files. Looked at before what runs is ended for them: it goes on instead. Plain
 * JavaScript is not looked at, for it is more than its part of TypeScript.
 */
export async function syntaxFailures(files: readonly string[], folder: string): Promise<readonly Failure[]> {
  const found = await Promise.all(files.filter(isTypeScript).map((file) => failureIn(file, folder)))
  return found.flat()
}

async function failureIn(file: string, folder: string): Promise<Failure[]> {
  const source = await readFile(file, 'utf8').catch(() => undefined)
  if (source === undefined) return [] // it is gone: whoever imports it says so
  try {
    // What it makes of a file is kept for the process that comes next.
    await stripTypesOnce(pathToFileURL(file).href, source)
    return []
  } catch (error) {
    return [describeLoadError(error, folder)]
  }
}
