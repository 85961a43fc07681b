import type { Handler } from '../handler.js'
import type { Action } from './action.js'
import { isThenable } from './thenable.js'

/** How many runs of one action have not ended. */
interface Tally {
  readonly action: Action
  runs: number
}

/**
 * Knows which handlers run, however long: also those whose calls were given up. It follows the handlers and not the
 * calls, at the cost of a reaction a promise, so only apps that somebody runs have it.
 */
export class Running {
  readonly #tallies = new WeakMap<Action, Tally>()
  readonly #active = new Set<Tally>()
  readonly #waiting = new Set<() => void>()

  /** Makes the runs of an action known: everything that runs where its handler does, wraps included. */
  readonly follow = (action: Action, run: Handler): Handler => {
    const tally = this.#tallies.get(action) ?? { action, runs: 0 }
    this.#tallies.set(action, tally)
    const end = () => this.#end(tally)
    return (message, context) => {
      if (tally.runs++ === 0) this.#active.add(tally)
      try {
        const reply: unknown = run(message, context)
        if (!isThenable(reply)) {
          end()
          return reply
        }
        if (!(reply instanceof Promise)) return endOf(reply, end)
        reply.then(end, end)
        return reply
      } catch (error) {
        end()
        throw error
      }
    }
  }

  /** The actions that run, one entry for each run. */
  get actions(): Action[] {
    return [...this.#active].flatMap(({ action, runs }) => Array<Action>(runs).fill(action))
  }

  /** Waits until none of some actions runs, for so many milliseconds at most. Resolves with those that still do. */
  async ended(actions: ReadonlySet<Action>, limitMs: number): Promise<Action[]> {
    const left = () => this.actions.filter((action) => actions.has(action))
    if (left().length === 0) return []
    await new Promise<void>((resolve) => {
      const done = () => {
        clearTimeout(timer)
        this.#waiting.delete(look)
        resolve()
      }
      const look = () => left().length === 0 && done()
      const timer = setTimeout(done, limitMs)
      this.#waiting.add(look)
    })
    return left()
  }

  #end(tally: Tally): void {
    if (--tally.runs > 0) return
    this.#active.delete(tally)
    for (const look of this.#waiting) look()
  }
}

/** What merely looks like a promise may start its work each time that it is asked, so it is asked once. */
async function endOf(reply: PromiseLike<unknown>, end: () => void): Promise<unknown> {
  try {
    return await reply
  } finally {
    end()
  }
}
