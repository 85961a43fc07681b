import type { Call } from './dispatch/call.js'
import { LuciliusError } from './errors.js'
import type { ActOptions } from './handler.js'
import type { Message } from './message.js'
import { Patience } from './patience.js'
import type { Parking } from './peers/parking.js'

/** What is to be known about messages that no action answers. */
export interface Prospects {
  /** Whether an action may still come: a peer is not known yet, or `park.unknown` is set. */
  mayCome(): boolean
  /** The error for a message that nobody answers. */
  notFound(message: Message): LuciliusError
}

/** Durations that hold for what waits, in ms. */
interface Limits {
  readonly timeoutMs: number
  readonly maxTimeoutMs: number
}

/** Deals with messages that no action answers: parks them while one may come, else refuses them. */
export class Unanswered {
  readonly #parking: Parking
  readonly #limits: Limits
  readonly #prospects: Prospects

  constructor(parking: Parking, limits: Limits, prospects: Prospects) {
    this.#parking = parking
    this.#limits = limits
    this.#prospects = prospects
  }

  /**
   * Rejects, or settles like `again`, which is called with the time that is left once an action answers. `asked` is what
   * the act was called with first: a pattern, or the message.
   */
  readonly hold = (
    message: Message,
    call: Call | undefined,
    wish: ActOptions | undefined,
    answered: () => boolean,
    again: (leftMs: number) => Promise<unknown>,
    asked: unknown,
  ): Promise<unknown> => {
    if (!this.#prospects.mayCome()) return Promise.reject(this.#prospects.notFound(message))
    if (wish?.signal?.aborted === true) return Promise.reject(cancelled())
    if (call?.end !== undefined) return Promise.reject(cancelled())
    const timeoutMs = this.#patienceMs(call, wish)
    return new Promise((resolve, reject) => {
      const free = () => answered() || !this.#prospects.mayCome()
      const ticket = this.#parking.park(message, free, () => resolve(again(over())), nameOf(asked))
      const patience = new Patience(timeoutMs, () => giveUp(unreachable(timeoutMs)))
      const stop = new AbortController()
      const over = () => {
        stop.abort()
        ticket.leave()
        return patience.end()
      }
      const giveUp = (error: LuciliusError) => {
        over()
        reject(error)
      }
      const { signal } = stop
      wish?.signal?.addEventListener('abort', () => giveUp(cancelled()), { signal })
      // What a handler acts ends with it.
      call?.signal.addEventListener('abort', () => giveUp(call.end ?? cancelled()), { signal })
    })
  }

  /** What an act that somebody answers would be given. */
  #patienceMs(call: Call | undefined, wish: ActOptions | undefined): number {
    const { timeoutMs, maxTimeoutMs } = this.#limits
    const left = call === undefined ? maxTimeoutMs : call.remainingMs
    return Math.min(wish?.timeoutMs ?? (call === undefined ? timeoutMs : left), left)
  }
}

/** A pattern as it was written; of a message only its keys, for it has data in it. */
function nameOf(asked: unknown): string {
  const name = typeof asked === 'string' ? asked : `a message with ${Object.keys(asked as Message).join(', ')}`
  return name.slice(0, 200)
}

function unreachable(timeoutMs: number): LuciliusError {
  return new LuciliusError('LUC_UNREACHABLE', `Nobody who answers this message appeared within ${timeoutMs} ms.`)
}

function cancelled(): LuciliusError {
  return new LuciliusError('LUC_CANCELLED', 'The caller cancelled while nobody answered yet.', { handled: 'no' })
}
