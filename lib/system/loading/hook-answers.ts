import { readFile } from 'node:fs/promises'
import nodeModule from 'node:module'
import { fileURLToPath } from 'node:url'
import type { MessagePort } from 'node:worker_threads'
import type { HookCalls, HookMessage, HookQuestion } from './hook-calls.js'
import type { ImportRecords } from './import-records.js'
import type { SourcePlace } from './source-place.js'
import { findSyntaxError, loadStripper } from './strip-types.js'

/** How long a module with a source map waits for the main thread, which may be busy. Its trace is worth no more. */
const MAPS_WAIT_MS = 200

let joined: MessagePort | undefined
let maps: Promise<void> | undefined
let mapsEnabled: (() => void) | undefined

/** Answers the questions of the main thread. Imports and questions come in order, so an answer knows all before it. */
export function answerQuestions(port: MessagePort, records: ImportRecords): void {
  joined = port
  const calls = callsOn(records)
  port.on('message', (message: HookQuestion | { readonly mapsEnabled: true }) => {
    if ('mapsEnabled' in message) mapsEnabled?.()
    else void answer(port, calls, message)
  })
  // The port stays referenced: Node takes an empty event loop of this thread for hooks that never settle. The thread
  // itself keeps no process alive.
}

/** Has the main thread switch source maps on, unless they are on from the start, and waits until it did: Node reads a map when it compiles the module. */
export function enableMaps(): Promise<void> {
  if ('setSourceMapsSupport' in nodeModule) return Promise.resolve()
  maps ??= new Promise((resolve) => {
    const timer = setTimeout(resolve, MAPS_WAIT_MS)
    mapsEnabled = () => {
      clearTimeout(timer)
      resolve()
    }
    joined?.postMessage({ wantsMaps: true } satisfies HookMessage)
  })
  return maps
}

function callsOn(records: ImportRecords): HookCalls {
  return {
    begin: (owner) => records.begin(owner),
    end: (seal) => records.end(seal),
    forget: (owner) => records.forget(owner),
    reach: (owner) => [...records.reach(owner)],
    owners: (file) => records.owners(file),
    loaded: () => records.loaded(),
    refresh: (files) => records.refresh(files),
    syntaxError: () => firstSyntaxError(records.loaded()),
    warm: async () => void (await loadStripper()),
  }
}

async function answer(port: MessagePort, calls: HookCalls, { id, name, argument }: HookQuestion): Promise<void> {
  try {
    // The argument is what the main thread's own half, typed by the same table, has sent.
    const value: unknown = await (calls[name] as (argument: unknown) => unknown)(argument)
    port.postMessage({ id, value } satisfies HookMessage)
  } catch (error) {
    port.postMessage({ id, error } satisfies HookMessage)
  }
}

async function firstSyntaxError(files: readonly string[]): Promise<SourcePlace | undefined> {
  for (const file of files.filter((name) => /[.]m?[jt]s$/.test(name)).reverse()) {
    const place = await findSyntaxError(file, await readFile(fileURLToPath(file), 'utf8').catch(() => ''))
    if (place !== undefined) return place
  }
  return undefined
}
