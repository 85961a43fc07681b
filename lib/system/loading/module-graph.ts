import { realpathSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { MessagePort } from 'node:worker_threads'
import type { HookCalls, HookMessage, HookQuestion } from './hook-calls.js'
import type { SourcePlace } from './source-place.js'

type Answer<N extends keyof HookCalls> = Awaited<ReturnType<HookCalls[N]>>

interface Waiting {
  readonly resolve: (value: unknown) => void
  readonly reject: (error: unknown) => void
}

/** The owner of the configuration's files; services and plugins cannot be called so. */
export const CONFIG_OWNER = '.config'

/**
 * Knows which files of the project were imported for what, and has them imported anew. Files are absolute paths; those
 * in `node_modules` and those that were only `require`d are not known. There is one graph in a process.
 *
 * An owner is a name for what a load is made for: that of a service or plugin, or {@link CONFIG_OWNER}.
 */
export class ModuleGraph {
  readonly #port: MessagePort
  readonly #waiting = new Map<number, Waiting>()
  #last = 0
  #watched: Promise<unknown> = Promise.resolve()

  constructor(port: MessagePort) {
    this.#port = port
    port.on('message', (message: HookMessage) => this.#receive(message))
    port.unref()
  }

  /**
   * Runs a load: what is imported meanwhile belongs to the owner, and no longer what an earlier load of it imported.
   * Loads run one after the other. `seal`: what the owner's modules import after the load is not the owner's; so are
   * the import functions of a configuration, which are called for services.
   */
  watch<T>(owner: string, load: () => Promise<T>, { seal = false } = {}): Promise<T> {
    const run = this.#watched.then(async () => {
      await this.#ask('begin', owner)
      let done = false
      try {
        const result = await load()
        done = true
        return result
      } finally {
        await this.#ask('end', done && seal)
      }
    })
    this.#watched = run.catch(() => {}) // whoever called hears of it
    return run
  }

  /** Forgets an owner: a service that is no longer part of the system. */
  async forget(owner: string): Promise<void> {
    await this.#ask('forget', owner)
  }

  /** The owners that reach a file, in the order in which they were loaded. Empty: the file is nobody's. */
  async ownersOf(file: string): Promise<readonly string[]> {
    return this.#ask('owners', urlOf(file))
  }

  /** The files that an owner reaches, those included that it asks for and that are not there. */
  async filesOf(owner: string): Promise<readonly string[]> {
    return (await this.#ask('reach', owner)).map((url) => fileURLToPath(url))
  }

  /** All files of the project that were imported. */
  async files(): Promise<readonly string[]> {
    return (await this.#ask('loaded', undefined)).map((url) => fileURLToPath(url))
  }

  /**
   * Makes the next import of these files, and of every file that imports them, a fresh one, import functions included.
   * What is loaded now goes on as it is; its memory is not freed before the process ends, Node keeps every module.
   * Returns the files that will be fresh.
   */
  async refresh(files: readonly string[]): Promise<readonly string[]> {
    const urls = files.map(urlOf)
    const stale = (await this.#ask('refresh', urls)).map((url) => fileURLToPath(url))
    // Node keeps CommonJS and JSON by path, whatever the query says.
    const { cache } = createRequire(import.meta.url)
    for (const file of stale) delete cache[file]
    return stale
  }

  /** Where a module that was loaded breaks the syntax. V8 does not say it to those who import. */
  findSyntaxError(): Promise<SourcePlace | undefined> {
    return this.#ask('syntaxError', undefined)
  }

  /** Loads what strips types, 75 ms in the thread of the hooks, so that the first change after a start need not wait. */
  async warm(): Promise<void> {
    await this.#ask('warm', undefined)
  }

  #ask<N extends keyof HookCalls>(name: N, argument: Parameters<HookCalls[N]>[0]): Promise<Answer<N>> {
    const id = ++this.#last
    const answer = new Promise<unknown>((resolve, reject) => this.#waiting.set(id, { resolve, reject }))
    this.#port.ref() // a process that waits for an answer does not end
    this.#port.postMessage({ id, name, argument } satisfies HookQuestion)
    return answer as Promise<Answer<N>> // the same table types the hooks' half
  }

  #receive(message: HookMessage): void {
    if ('wantsMaps' in message) {
      process.setSourceMapsEnabled(true)
      this.#port.postMessage({ mapsEnabled: true })
      return
    }
    const waiting = this.#waiting.get(message.id)
    this.#waiting.delete(message.id)
    if (this.#waiting.size === 0) this.#port.unref()
    if ('error' in message) waiting?.reject(message.error)
    else waiting?.resolve(message.value)
  }
}

/** The url by which Node knows a file: that of its real path. The file itself need not be there. */
function urlOf(file: string): string {
  try {
    return pathToFileURL(realpathSync(file)).href
  } catch {
    const folder = dirname(file)
    return folder === file
      ? pathToFileURL(file).href
      : pathToFileURL(join(fileURLToPath(urlOf(folder)), basename(file))).href
  }
}
