import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import type { InitializeHook, LoadHook, ResolveHook } from 'node:module'
import { fileURLToPath } from 'node:url'
import { answerQuestions, enableMaps } from './hook-answers.js'
import type { HookStart } from './hook-calls.js'
import { ImportRecords } from './import-records.js'
import { fileUrlOf, isProjectUrl, isTypeScript, typeScriptOf, versionOf, withVersion } from './module-url.js'
import { stripTypesOnce } from './strip-cache.js'
import { explainUnresolved } from './unresolved.js'

// Runs in the thread that Node keeps for hooks. Nothing of the system is here, only what the hooks themselves need.

const records = new ImportRecords()

/** Called by Node, once: joins the port to the main thread. */
export const initialize: InitializeHook<HookStart> = ({ port }) => {
  answerQuestions(port, records)
}

/** Called by Node for each import: finds TypeScript for `.js`, notes the import, and asks for the version that is next. */
export const resolve: ResolveHook = async (specifier, context, nextResolve) => {
  const wanted = target(specifier, context.parentURL)
  const name = wanted === undefined ? specifier : (inTypeScript(wanted) ?? specifier)
  try {
    const found = await nextResolve(name, context)
    if (!isProjectUrl(found.url)) return found
    const file = fileUrlOf(found.url)
    note(file, context.parentURL)
    return { ...found, url: withVersion(found.url, records.version(file)) }
  } catch (error) {
    // What is not there yet counts as imported: when the file comes, its importer is what has to be loaded again.
    for (const file of wanted === undefined ? [] : candidates(wanted)) note(file, context.parentURL)
    throw explainUnresolved(error, specifier, context.parentURL)
  }
}

/** Called by Node for each new module: strips types, and keeps the version out of stack traces. */
export const load: LoadHook = async (url, context, nextLoad) => {
  if (!isProjectUrl(url)) return nextLoad(url, context)
  const file = fileUrlOf(url)
  const version = versionOf(url)
  records.loading(file, version)
  if (isTypeScript(file)) return { format: 'module', shortCircuit: true, source: await javaScriptOf(file, version) }
  const loaded = await nextLoad(url, context)
  if (loaded.format !== 'module' || version === 0) return loaded
  return { ...loaded, source: named(textOf(loaded.source), file, version) }
}

async function javaScriptOf(file: string, version: number): Promise<string> {
  const { code, mapped } = await stripTypesOnce(file, await readFile(fileURLToPath(file), 'utf8'))
  if (mapped) await enableMaps()
  return mapped ? code : named(code, file, version)
}

/** V8 shows this name in stack traces, where it would show the url with its version. */
function named(source: string, file: string, version: number): string {
  return version === 0 ? source : `${source}\n//# sourceURL=${file}`
}

function note(file: string, parent: string | undefined): void {
  if (parent === undefined || !isProjectUrl(parent)) records.imported(file, undefined, 0)
  else records.imported(file, fileUrlOf(parent), versionOf(parent))
}

/** The url of what a relative or absolute specifier means; undefined for packages and the like. */
function target(specifier: string, parent: string | undefined): string | undefined {
  if (!/^([.]{0,2}\/|file:)/.test(specifier)) return undefined
  const url = URL.canParse(specifier, parent) ? new URL(specifier, parent).href : ''
  return isProjectUrl(url) ? url : undefined
}

function inTypeScript(url: string): string | undefined {
  const file = fileUrlOf(url)
  const other = typeScriptOf(file)
  if (other === undefined || isThere(file) || !isThere(other)) return undefined
  return other + url.slice(file.length)
}

function candidates(url: string): string[] {
  const file = fileUrlOf(url)
  const other = typeScriptOf(file)
  return other === undefined ? [file] : [file, other]
}

function isThere(file: string): boolean {
  try {
    return existsSync(fileURLToPath(file))
  } catch {
    return false // a url that is no path, such as one with an encoded slash: Node says what is wrong with it
  }
}

function textOf(source: unknown): string {
  return typeof source === 'string' ? source : new TextDecoder().decode(source as Uint8Array)
}
