import { failed, type Hook, runHook } from './hook.js'

/** A hook that waits for its plugin to be closed. */
export interface CloseHook {
  /** The plugin that left it. */
  readonly name: string
  readonly hook: Hook
  /** Position in the order of registration. */
  readonly order: number
  /** What the plugin shares with those that it uses. */
  readonly tenure: object
}

/** The onClose hooks of an app. */
export class CloseHooks {
  readonly #hooks = new Set<CloseHook>()

  add(hook: CloseHook): void {
    this.#hooks.add(hook)
  }

  /**
   * Runs hooks, each once: all, or only the chosen ones. The one registered last runs first. All of them run; rejects
   * with the first `LUC_PLUGIN_FAILED`.
   */
  async run(isChosen: (hook: CloseHook) => boolean = () => true): Promise<void> {
    const failures: unknown[] = []
    // A hook may leave another one.
    for (let next = this.#last(isChosen); next !== undefined; next = this.#last(isChosen)) {
      this.#hooks.delete(next)
      try {
        await runHook(next.hook)
      } catch (error) {
        failures.push(failed(next.name, 'its onClose hook', error))
      }
    }
    if (failures.length > 0) throw failures[0]
  }

  #last(isChosen: (hook: CloseHook) => boolean): CloseHook | undefined {
    let last: CloseHook | undefined
    for (const hook of this.#hooks) if (isChosen(hook) && (last === undefined || hook.order > last.order)) last = hook
    return last
  }
}
