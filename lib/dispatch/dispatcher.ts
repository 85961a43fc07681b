import type { ActOptions, Handler } from '../handler.js'
import { isMessage, type Message } from '../message.js'
import { parseMessage } from '../message-text.js'
import { toPattern } from '../pattern.js'
import { checkProperties, portableCopy, portableMessage } from '../portable.js'
import type { Call as CarriedCall } from '../transport.js'
import { toActOptions } from './act-options.js'
import { isTraced, traced } from './act-trace.js'
import type { Action } from './action.js'
import type { Slot } from './actions.js'
import { Books } from './books.js'
import { Call, describe, type Origin, type Waiter } from './call.js'
import { noteOptions } from './carried.js'
import { Composition, type Follow } from './composition.js'
import type { Within } from './context.js'
import { Heads, wholeMessage } from './head.js'
import { launch, launchFor } from './launch.js'
import { appClosed, cancelledBefore, tooLate, tooManyAbandoned, tooManyHops, whatIsLeft } from './refusals.js'

/** Bounds and manners that hold for every act of an app. */
export interface Rules {
  readonly timeoutMs: number
  readonly maxTimeoutMs: number
  readonly maxHops: number
  /** How many runs of an action may go on though their callers gave up, before it takes no more from outside. */
  readonly maxAbandoned: number
  readonly strict: boolean
}

/** What becomes of an act that no action answers: it is refused, or held until `answered`, and then done `again`. */
export type Unanswered = (
  message: Message,
  call: Call | undefined,
  wish: ActOptions | undefined,
  answered: () => boolean,
  again: (leftMs: number) => Promise<unknown>,
  asked: unknown,
) => Promise<unknown>

/** What an act from a peer brings along, checked and clamped; it is told the end. */
export interface Arrival extends Waiter {
  readonly hops: number
  readonly timeoutMs: number
  readonly origin: Origin
  readonly id: string | undefined
  readonly traceparent: string | undefined
  /** Its cancel hook is set to cancel the call here. */
  readonly carried: CarriedCall
}

const nobody: Origin = Object.freeze({})

/**
 * Finds the action for a message and runs it: the core of the core.
 *
 * `act` and what it calls is the hot path: no object and no check that is not needed (`npm run bench -- local`).
 */
export class Dispatcher implements Within {
  readonly books: Books
  readonly composition: Composition
  readonly #heads = new Heads<Slot>()
  readonly #rules: Rules
  readonly #unanswered: Unanswered
  readonly emit: Within['emit']

  constructor(rules: Rules, unanswered: Unanswered, emit: Within['emit'], follow?: Follow) {
    this.#rules = rules
    this.#unanswered = unanswered
    this.emit = emit
    this.books = new Books(rules.strict)
    const runInside = (action: Action, message: Message, call: Call | undefined) =>
      this.#runInside(action, message, call)
    this.composition = new Composition(rules.strict, runInside, follow)
  }

  get actions() {
    return this.composition.actions
  }

  /** Sends a message from within `call`, or from outside when it is undefined. Never throws. */
  act(call: Call | undefined, first: unknown, data: unknown, options: unknown): Promise<unknown> {
    let message: Message
    let slot: Slot | undefined
    let wish: ActOptions | undefined
    let by: string | undefined
    try {
      wish = options === undefined ? undefined : toActOptions(options)
      const { router } = this.composition.actions
      if (this.#rules.strict) checkGiven(first, data)
      if (typeof first !== 'string' && data === undefined) {
        message = wholeMessage(first)
        slot = router.find(message)
      } else {
        const head = this.#heads.of(first)
        message = head.over(data)
        if (wish?.exact === true) {
          slot = head.alone(router)
          // Only who asks elsewhere, now or later, has to say what to route by.
          if (slot === undefined || slot.top.remote !== undefined) by = head.pairs
        }
        // Only the head of a text is remembered, and only then does it pay to learn its route.
        else slot = typeof first === 'string' ? head.route(router, message) : router.find(message)
      }
    } catch (error) {
      return Promise.reject(error)
    }
    if (slot === undefined) return this.#hold(message, call, wish, by, first)
    return this.#start(slot.top, message, call, wish, by)
  }

  /** The message that a text or object and the data beside it make. Throws what is wrong with them. */
  messageOf(first: unknown, data: unknown): Message {
    if (this.#rules.strict) checkGiven(first, data)
    return typeof first !== 'string' && data === undefined ? wholeMessage(first) : this.#heads.of(first).over(data)
  }

  /** Runs the action that stands behind the one of `call`. `undefined` if there is none. */
  prior(call: Call, message: unknown): Promise<unknown> {
    const prior = this.actions.prior(call.action)
    if (prior === undefined) return Promise.resolve(undefined)
    let asked: Message
    try {
      if (this.#rules.strict) checkGiven(message, undefined)
      asked = message === undefined ? call.message : wholeMessage(message)
    } catch (error) {
      return Promise.reject(error)
    }
    return this.#run(prior, undefined, asked, call, undefined, call.hops + 1, call.action.pattern.text, undefined)
  }

  /** The action that answers a call's message now. */
  reroute(call: Call): Action | undefined {
    if (call.below !== undefined) return this.actions.wider(toPattern(call.below))
    return this.actions.router.find(call.by === undefined ? call.message : parseMessage(call.by))?.top
  }

  /** Runs another action in the place of a call's own, as the same hop. */
  follow(action: Action, call: Call): Promise<unknown> {
    const { hops, below, by } = call
    return this.#run(action, undefined, call.message, call, undefined, hops, below, by)
  }

  /** Runs an action of this app for somebody outside. Throws what keeps it from being started. */
  answer(action: Action, message: Message, arrival: Arrival): void {
    if (!isTraced()) {
      launchFor(arrival, this.#arrive(action, message, arrival), action.run, this)
      return
    }
    const run = async () => launch(this.#arrive(action, message, arrival), action.run, this, true, undefined)
    traced(action, message, arrival.hops, run).then(
      (reply) => arrival.resolve(reply),
      (error) => arrival.reject(error),
    )
  }

  /** Holds an act that no action answers, or refuses it. */
  #hold(
    sent: Message,
    call: Call | undefined,
    wish: ActOptions | undefined,
    by: string | undefined,
    asked: unknown,
  ): Promise<unknown> {
    let message: Message
    try {
      // It is what it was when it was sent, whatever the caller does to it meanwhile.
      message = this.#rules.strict ? (portableCopy(sent, 'message') as Message) : sent
    } catch (error) {
      return Promise.reject(error)
    }
    const find = () => this.actions.router.find(by === undefined ? message : parseMessage(by))
    const again = (timeoutMs: number) => {
      const slot = find()
      const left = { ...wish, timeoutMs }
      return slot === undefined
        ? this.#hold(message, call, left, by, asked)
        : this.#start(slot.top, message, call, left, by)
    }
    return this.#unanswered(message, call, wish, () => find() !== undefined, again, asked)
  }

  /** Runs an action on a message as a new call, within the wraps of the caller's side. */
  #start(
    action: Action,
    message: Message,
    parent: Call | undefined,
    wish: ActOptions | undefined,
    by: string | undefined,
  ): Promise<unknown> {
    const hops = parent === undefined ? 1 : parent.hops + 1
    if (!isTraced()) return this.#run(action, action.outer, message, parent, wish, hops, undefined, by)
    return traced(action, message, hops, () =>
      this.#run(action, action.outer, message, parent, wish, hops, undefined, by),
    )
  }

  /** Runs an action within the wraps of the caller's side, on the message that these made. */
  #runInside(action: Action, message: Message, call: Call | undefined): Promise<unknown> {
    try {
      if (this.#rules.strict && message !== call?.message) checkProperties(message)
    } catch (error) {
      return Promise.reject(error)
    }
    return this.#run(action, undefined, message, call, undefined, call?.hops ?? 1, undefined, call?.by)
  }

  /**
   * Checks what every call must keep to, and starts one: of `outer` if there is one, else of the action itself. `below`
   * and `by` say how it came to its action, if not by its message. Many parameters, for an object costs 10 ns a call.
   */
  #run(
    action: Action,
    outer: Handler | undefined,
    message: Message,
    parent: Call | undefined,
    wish: ActOptions | undefined,
    hops: number,
    below: string | undefined,
    by: string | undefined,
  ): Promise<unknown> {
    const { strict, maxHops, maxTimeoutMs } = this.#rules
    let timeoutMs = wish?.timeoutMs ?? this.#rules.timeoutMs
    let ownTime = wish?.timeoutMs !== undefined
    // Within a call the default does not count: what that call has left is inherited, and may be more.
    const limit = ownTime || parent === undefined ? timeoutMs : Number.POSITIVE_INFINITY
    if (action.timeoutMs < limit && outer === undefined) {
      timeoutMs = action.timeoutMs
      ownTime = true
    }
    if (timeoutMs > maxTimeoutMs) timeoutMs = maxTimeoutMs
    let origin = nobody
    let asked = message
    try {
      if (hops > maxHops) throw tooManyHops(describe(action), maxHops)
      if (parent !== undefined) {
        origin = parent.origin
        if (parent.settled && this.books.closed) throw appClosed(action)
        if (parent.settled) timeoutMs = whatIsLeft(parent, action, ownTime ? timeoutMs : Number.POSITIVE_INFINITY)
      }
      if (wish !== undefined) {
        if (wish.signal?.aborted === true) throw cancelledBefore(action)
        if (wish.identity !== undefined) origin = { ...origin, identity: wish.identity }
      }
      // A message that the parent's own check gave back is frozen already.
      if (strict && message !== parent?.message) asked = portableMessage(message) as Message
    } catch (error) {
      return Promise.reject(error)
    }
    const call = new Call(this.books, action, asked, parent, hops, timeoutMs, origin)
    if (below !== undefined) call.below = below
    if (by !== undefined) call.by = by
    if (outer !== undefined) call.atCaller = true
    if (wish !== undefined) noteOptions(call, wish)
    return launch(call, outer ?? action.run, this, ownTime, wish?.signal)
  }

  #arrive(action: Action, message: Message, arrival: Arrival): Call {
    const { strict, maxHops, maxAbandoned } = this.#rules
    const { hops, origin, id, traceparent, carried } = arrival
    if (hops > maxHops) throw tooManyHops(describe(action), maxHops)
    if (arrival.timeoutMs <= 0) throw tooLate(action)
    if (action.abandoned >= maxAbandoned) throw tooManyAbandoned(action)
    const asked = strict ? (portableCopy(message, 'message') as Message) : message
    const timeoutMs = Math.min(arrival.timeoutMs, action.timeoutMs)
    const call = new Call(this.books, action, asked, undefined, hops, timeoutMs, origin)
    call.continues(id, traceparent)
    carried.onCancel = () => call.cancel('LUC_CANCELLED', `The caller cancelled ${describe(action)}.`)
    return call
  }
}

/** Strict parity: what is not seen any more once pattern and data have become one object. */
function checkGiven(first: unknown, data: unknown): void {
  if (isMessage(first)) checkProperties(first)
  if (isMessage(data)) checkProperties(data)
}
