import { relative } from 'node:path'
import type { Plugin } from '../../app.js'
import type { Inventory } from '../../host.js'
import { describeLoadError } from '../loading/describe-load-error.js'
import { loadPlugin } from '../loading/load-plugin.js'
import type { Loaded } from '../loading/load-system.js'
import { CONFIG_OWNER, type ModuleGraph } from '../loading/module-graph.js'
import { registerTypeScript } from '../loading/register-typescript.js'
import { ownerOf } from '../owner.js'
import type { Running } from '../run.js'
import { modulesOf, type Where } from './known-files.js'
import { type Failure, nothingDone, type Outcome } from './outcome.js'
import { restartReason } from './restart-reason.js'
import { syntaxFailures } from './syntax.js'

/** Services exchanged after which the process starts anew: Node frees no module, and 100 of them take 50 MB. */
const MOST_EXCHANGED = 200

/** A process whose services can be exchanged one by one while it runs. */
export interface ExchangeOptions {
  readonly running: Running
  readonly loaded: Loaded
  readonly where: Where
}

/**
 * Puts new code in the place of old, service by service. What cannot be loaded leaves the old code running, and is tried
 * again at the next change. What others may hold on to, the description or a module that two services share, is not
 * exchanged: everything starts anew for it.
 */
export class Exchange {
  readonly #options: ExchangeOptions
  readonly #graph: ModuleGraph = registerTypeScript()
  /** The files that each owner reached when it was last loaded well. */
  readonly #reached = new Map<string, ReadonlySet<string>>()
  /** Owners whose new code could not be put in place, and the files that have changed since all was well. */
  readonly #broken = new Set<string>()
  readonly #changed = new Set<string>()
  #count = 0

  constructor(options: ExchangeOptions) {
    this.#options = options
  }

  /** Notes what the services are made of. */
  async note(): Promise<void> {
    for (const owner of this.#owners()) await this.#noteFiles(owner)
  }

  /** Exchanges what is made of these files. */
  async change(files: readonly string[]): Promise<Outcome> {
    for (const file of files) this.#changed.add(file)
    const owners = new Set(this.#broken)
    let restart: string | undefined
    for (const file of files) {
      const own = await this.#ownersOf(file)
      restart ??= this.#reasonOf(file, own)
      for (const owner of own) owners.add(owner)
    }
    if (restart === undefined && this.#count + owners.size > MOST_EXCHANGED)
      restart = `${this.#count} services were exchanged`
    if (restart !== undefined) return this.#restart(restart)
    if (owners.size === 0) {
      this.#changed.clear()
      return nothingDone
    }
    return this.#exchange([...owners])
  }

  /** Whoever starts anew must find code that can be loaded, else nothing runs. */
  async #restart(restart: string): Promise<Outcome> {
    const failures = await syntaxFailures([...this.#changed], this.#options.where.cwd)
    if (failures.length === 0) return { done: [], failures, restart }
    return { done: [], failures: failures.map((one) => ({ ...one, instead: 'everything runs on as it was' })) }
  }

  #reasonOf(file: string, owners: readonly string[]): string | undefined {
    const { where, loaded } = this.#options
    const name = relative(where.cwd, file)
    if (owners.includes(CONFIG_OWNER)) return `${name} has changed`
    if (owners.length > 1) return `${name} is part of ${owners.join(' and ')}`
    return restartReason(file, where, loaded)
  }

  async #exchange(owners: readonly string[]): Promise<Outcome> {
    await this.#graph.refresh([...this.#changed])
    const done: string[] = []
    const failures: Failure[] = []
    const { loaded, running } = this.#options
    for (const { name, module, options } of modulesOf(loaded)) {
      if (!owners.includes(name)) continue
      this.#count++
      const failure = await this.#put(name, () => loadPlugin(name, module, loaded.folder), options)
      if (failure === undefined) {
        done.push(name)
        this.#broken.delete(name)
        await this.#noteFiles(name)
      } else {
        failures.push(failure)
        this.#broken.add(name)
      }
    }
    if (this.#broken.size === 0) this.#changed.clear()
    try {
      await running.adjust()
    } catch (error) {
      // A door that would let in what it must not: it is closed with the process.
      return { done, failures: [...failures, this.#describe(error)], restart: 'the doors cannot stay as they are' }
    }
    return { done, failures }
  }

  async #put(name: string, load: () => Promise<Plugin>, options: unknown): Promise<Failure | undefined> {
    const { host } = this.#options.running
    let plugin: Plugin
    try {
      plugin = await load()
    } catch (error) {
      return { ...this.#describe(error), instead: `the old code of '${name}' runs on` }
    }
    const before = registeredBy(name, host.inventory())
    try {
      await host.replace(name, plugin, options)
      return undefined
    } catch (error) {
      const isEmpty = before > 0 && registeredBy(name, host.inventory()) === 0
      const instead = isEmpty ? `'${name}' does not answer` : `the old code of '${name}' runs on`
      return { ...this.#describe(error), instead }
    }
  }

  #describe(error: unknown): Failure {
    return describeLoadError(error, this.#options.where.cwd)
  }

  /** The graph forgets what an older load of an owner reached, and the one that failed may not have come that far. */
  async #ownersOf(file: string): Promise<readonly string[]> {
    const remembered = [...this.#reached].flatMap(([owner, files]) => (files.has(file) ? [owner] : []))
    return [...new Set([...(await this.#graph.ownersOf(file)), ...remembered])]
  }

  async #noteFiles(owner: string): Promise<void> {
    this.#reached.set(owner, new Set(await this.#graph.filesOf(owner)))
  }

  #owners(): string[] {
    return [CONFIG_OWNER, ...modulesOf(this.#options.loaded).map(({ name }) => name)]
  }
}

/** How much a service, and the plugins within it, have registered. */
function registeredBy(name: string, { actions, subscriptions, wraps, plugins }: Inventory): number {
  return [...actions, ...subscriptions, ...wraps].filter(({ service }) => ownerOf(service, plugins) === name).length
}
