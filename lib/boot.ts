import type { Avvio } from 'avvio'
import { LuciliusError } from './errors.js'
import { failed, HOOK_TIMEOUT_MS, type Hook, thrownError } from './hook.js'

type Engine = Avvio<object>
type Done = (error?: unknown) => void
type AvvioReady = (error: Error) => void

/**
 * Loads plugins in order, nested ones within their parents, then starts them in the order of registration. avvio does
 * the ordering and the time limits; nothing runs before `load` or `start`.
 */
export class Boot {
  /** Made when it is needed: an app without plugins and hooks, as many tests and scripts are, never loads avvio. */
  #engine: Engine | undefined
  /** What is to be told to the engine once it is there. */
  readonly #orders: ((engine: Engine) => void)[] = []
  readonly #onReady: { readonly name: string; readonly hook: Hook }[] = []
  #loaded: Promise<void> | undefined
  #started: Promise<void> | undefined

  /** Queues a set-up. Rejections of `load` name it. */
  use(name: string, setup: () => unknown): void {
    const run = named(name, async () => void (await setup()))
    if (this.#engine === undefined) this.#orders.push((engine) => engine.use(run))
    else this.#engine.use(run)
  }

  /** Queues a hook for `start`. */
  onReady(name: string, hook: Hook): void {
    this.#onReady.push({ name, hook })
  }

  /** Runs the set-ups. Rejects with `LUC_PLUGIN_FAILED`. */
  load(): Promise<void> {
    this.#loaded ??= this.#ready((error, done) => done(error)).catch((error) => {
      throw error instanceof LuciliusError && error.code === 'LUC_PLUGIN_INVALID'
        ? error
        : failed(nameOf(error), 'its set-up', error)
    })
    return this.#loaded
  }

  /** Runs the set-ups and then the onReady hooks. Rejects with `LUC_PLUGIN_FAILED`. */
  start(): Promise<void> {
    this.#started ??= this.load().then(() => this.#runHooks())
    return this.#started
  }

  /** Makes the engine if there is anything for it to do. */
  async #wake(): Promise<void> {
    if (this.#engine !== undefined || this.#orders.length + this.#onReady.length === 0) return
    const { default: avvio } = await import('avvio')
    this.#engine ??= avvio({}, { autostart: false, timeout: HOOK_TIMEOUT_MS })
    for (const order of this.#orders.splice(0)) order(this.#engine)
  }

  async #runHooks(): Promise<void> {
    for (const { name, hook } of this.#onReady) {
      try {
        await this.#ready((_, done) => void settle(hook, done))
      } catch (error) {
        throw failed(name, 'its onReady hook', error)
      }
    }
  }

  /** Queues a function behind what avvio has under way; its time limit holds. */
  async #ready(run: (error: unknown, done: Done) => void): Promise<void> {
    await this.#wake()
    const engine = this.#engine
    if (engine === undefined) return
    await new Promise<void>((resolve, reject) => {
      const first = (error: Error | null, done: Done) => run(error, done)
      const second = (error: Error | null, done: Done) => {
        if (error) reject(error)
        else resolve()
        done()
      }
      // avvio's types say `Function`; it calls with (error, done) because these take two parameters.
      engine.ready(first as AvvioReady)
      engine.ready(second as AvvioReady)
    })
  }
}

async function settle(hook: Hook, done: Done): Promise<void> {
  try {
    await hook()
    done()
  } catch (error) {
    // avvio takes anything falsy for success.
    done(thrownError(error))
  }
}

const setups = new WeakMap<object, string>()

function named(name: string, setup: () => Promise<void>): () => Promise<void> {
  const run = async () => {
    try {
      await setup()
    } catch (thrown) {
      const error = thrownError(thrown)
      if (!setups.has(error)) setups.set(error, name)
      throw error
    }
  }
  setups.set(run, name)
  return run
}

/** The plugin that an error of avvio's speaks of: its own time-outs carry the function, other errors were noted. */
function nameOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return 'unknown'
  const { fn } = error as { fn?: object }
  return setups.get(error) ?? (fn === undefined ? undefined : setups.get(fn)) ?? 'unknown'
}
