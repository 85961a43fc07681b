import { pathToFileURL } from 'node:url'
import { withoutVersions } from './module-url.js'
import { registerTypeScript } from './register-typescript.js'
import { markedPlace, markPlace } from './source-place.js'

const LIMIT_MS = 30_000

/** Imports a file of the project, in the version that is next. What it throws tells no version, and where it can its place. */
export function importModule(file: string): Promise<unknown> {
  return importing(() => import(pathToFileURL(file).href))
}

/** Calls a function that imports, as {@link importModule} does. Rejects after 30 s: a module may wait for ever. */
export async function importing(load: () => Promise<unknown>, limitMs: number = LIMIT_MS): Promise<unknown> {
  registerTypeScript()
  try {
    return await within(limitMs, load)
  } catch (error) {
    throw await explained(error)
  }
}

async function within<T>(limitMs: number, load: () => Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    const why = `it is not imported after ${limitMs / 1000} s: an await at the top of a module does not end`
    timer = setTimeout(() => reject(new Error(why)), limitMs)
  })
  try {
    return await Promise.race([load(), late])
  } finally {
    clearTimeout(timer)
  }
}

async function explained(error: unknown): Promise<unknown> {
  if (!(error instanceof Error)) return error
  // Not assigned: from Node 22 on, errors that come from the hooks have a stack that refuses it.
  const value = withoutVersions(error.stack ?? '')
  if (value !== error.stack) Reflect.defineProperty(error, 'stack', { value, writable: true, configurable: true })
  if (!(error instanceof SyntaxError) || markedPlace(error) !== undefined) return error
  // A module that V8 cannot compile: the stack names Node's own files only.
  if (!/^SyntaxError: .*\n +at (compileSourceTextModule|new ModuleWrap|ModuleLoader)\b/.test(error.stack ?? ''))
    return error
  const place = await registerTypeScript().findSyntaxError()
  return place === undefined ? error : markPlace(error, place)
}
