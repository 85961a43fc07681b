import type { Context, Handler } from '../handler.js'
import type { Action } from './action.js'
import { type HearPassed, timed } from './passed.js'
import { isThenable } from './thenable.js'

/** How many runs of one action have not ended. */
interface Tally {
  readonly action: Action
  runs: number
}

/** What is to be called at the end of a run, one of both. */
interface Ends {
  readonly replied: () => void
  readonly failed: (thrown: unknown) => void
}

/**
 * Knows which handlers run, however long: also those whose calls were given up. It follows the handlers and not the
 * calls, at the cost of a reaction a promise, so only apps that somebody runs have it.
 */
export class Running {
  readonly #tallies = new WeakMap<Action, Tally>()
  readonly #active = new Set<Tally>()
  readonly #waiting = new Set<() => void>()
  readonly #hearers = new Set<HearPassed>()

  /** Makes the runs of an action known: everything that runs where its handler does, wraps included. */
  readonly follow = (action: Action, run: Handler): Handler => {
    const tally = this.#tallies.get(action) ?? { action, runs: 0 }
    this.#tallies.set(action, tally)
    const end = () => this.#end(tally)
    const unheard: Ends = { replied: end, failed: end }
    return (message, context) => {
      if (tally.runs++ === 0) this.#active.add(tally)
      const { replied, failed } = this.#hearers.size === 0 ? unheard : this.#heard(action, context, end)
      try {
        const reply: unknown = run(message, context)
        if (!isThenable(reply)) {
          replied()
          return reply
        }
        if (!(reply instanceof Promise)) return endOf(reply, replied, failed)
        reply.then(replied, failed)
        return reply
      } catch (error) {
        failed(error)
        throw error
      }
    }
  }

  /** Tells of each run that begins from now on, when it has ended. Returns what stops it; unheard, runs are not timed. */
  hear(hearer: HearPassed): () => void {
    const own: HearPassed = (passed) => hearer(passed)
    this.#hearers.add(own)
    return () => void this.#hearers.delete(own)
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

  #heard(action: Action, context: Context, end: () => void): Ends {
    const { replied, failed } = timed(action, context, (passed) => {
      for (const hear of this.#hearers) hear(passed)
    })
    return {
      replied: () => {
        end()
        replied()
      },
      failed: (thrown) => {
        end()
        failed(thrown)
      },
    }
  }
}

/** What merely looks like a promise may start its work each time that it is asked, so it is asked once. */
async function endOf(reply: PromiseLike<unknown>, replied: Ends['replied'], failed: Ends['failed']): Promise<unknown> {
  let value: unknown
  try {
    value = await reply
  } catch (error) {
    failed(error)
    throw error
  }
  replied()
  return value
}
