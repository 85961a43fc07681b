import type { Boot } from './boot.js'
import type { CloseHooks } from './close-hooks.js'
import { LuciliusError } from './errors.js'

/** Where an app stands. Acts run freely while it is `starting` (its hooks may act) and `open`. */
export type Phase = 'new' | 'loading' | 'loaded' | 'starting' | 'open' | 'draining' | 'closed' | 'failed'

/** What opening and closing mean for the parts of an app, in this order. */
export interface Parts {
  /** The services are about to start. */
  prepare(): Promise<void>
  /** They have started. */
  serve(): Promise<void>
  /** Nobody waits any more for the app to start. */
  giveUp(): void
  /** Everything has started. */
  opened(): void
  /** Resolves when no plugin is being replaced. */
  settled(): Promise<void> | undefined
  /** Tells everybody that no new work is taken. */
  drain(): void
  /** Resolves when nothing runs any more. */
  idle(): Promise<void>
  /** Gives up what still runs. */
  abort(): void
  /** Closes listeners, connections and the store. */
  disconnect(): Promise<void>
}

/** The life of an app: loading, starting, running, draining, closed. */
export class LifeCycle {
  readonly #boot: Boot
  readonly #hooks: CloseHooks
  readonly #parts: Parts
  readonly #name: string
  readonly #drainMs: number
  #phase: Phase = 'new'
  #load: Promise<void> | undefined
  #ready: Promise<void> | undefined
  #close: Promise<void> | undefined

  constructor(
    boot: Boot,
    hooks: CloseHooks,
    parts: Parts,
    { name, drainMs }: { readonly name: string; readonly drainMs: number },
  ) {
    this.#boot = boot
    this.#hooks = hooks
    this.#parts = parts
    this.#name = name
    this.#drainMs = drainMs
  }

  get phase(): Phase {
    return this.#phase
  }

  /** Whether somebody is waiting for the services to be ready. */
  get isStarting(): boolean {
    return this.#phase === 'loading' || this.#phase === 'loaded' || this.#phase === 'starting'
  }

  /** Loads the plugins, once, and starts nothing. A failure closes what had been loaded. */
  load(): Promise<void> {
    if (this.#load === undefined) {
      this.#load = this.#close === undefined ? this.#setUp() : Promise.reject(this.closed())
      // Whoever waits for it hears of it; nobody has to.
      this.#load.catch(() => {})
    }
    return this.#load
  }

  /** Loads and starts the plugins, once. A failure closes what had started. */
  ready(): Promise<void> {
    if (this.#ready === undefined) {
      this.#ready = this.#start()
      this.#ready.catch(() => {})
    }
    return this.#ready
  }

  /** Drains and closes, once. Rejects with the first onClose hook that failed, after all have run. */
  close(): Promise<void> {
    this.#close ??= this.#end()
    return this.#close
  }

  /** The error for work that comes too late. */
  closed(): LuciliusError {
    return new LuciliusError('LUC_SERVICE_CLOSED', `${this.#name} is closing and takes no new work.`)
  }

  async #setUp(): Promise<void> {
    try {
      this.#phase = 'loading'
      await this.#boot.load()
      this.#advance('loading', 'loaded')
    } catch (error) {
      await this.#fail()
      throw error
    }
  }

  async #start(): Promise<void> {
    await this.load()
    try {
      this.#advance('loaded', 'starting')
      await this.#parts.prepare()
      if (this.#phase === 'starting') await this.#boot.start()
      if (this.#phase === 'starting') await this.#parts.serve()
      this.#advance('starting', 'open')
      this.#parts.opened()
    } catch (error) {
      await this.#fail()
      throw error
    }
  }

  async #fail(): Promise<void> {
    if (this.#close !== undefined) return
    this.#phase = 'failed'
    // The failure of the start is the news; what fails while cleaning up after it is not.
    this.#close = this.#shut().catch(() => {})
    await this.#close
  }

  #advance(from: Phase, to: Phase): void {
    if (this.#phase !== from) throw this.closed()
    this.#phase = to
  }

  async #end(): Promise<void> {
    const booting = this.#phase === 'loading' || this.#phase === 'starting'
    if (this.#phase === 'starting') this.#parts.giveUp()
    this.#phase = 'draining'
    // Hooks that are under way may still act, and are waited for before their plugins are closed.
    if (booting) await (this.#ready ?? this.#load)?.catch(() => {})
    await this.#parts.settled()
    // Observers of events that were emitted in this very turn start in a microtask: they run by now, and are waited for.
    await this.#drain()
    try {
      await this.#shut()
    } finally {
      this.#phase = 'closed'
    }
  }

  async #drain(): Promise<void> {
    this.#parts.drain()
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, this.#drainMs)
    })
    await Promise.race([this.#parts.idle(), late])
    clearTimeout(timer)
    this.#parts.abort()
  }

  async #shut(): Promise<void> {
    try {
      await this.#hooks.run()
    } finally {
      await this.#parts.disconnect()
    }
  }
}
