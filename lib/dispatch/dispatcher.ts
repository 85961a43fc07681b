import { tracingChannel } from 'node:diagnostics_channel'
import { ActionError, LuciliusError } from '../errors.js'
import type { ActOptions, Handler } from '../handler.js'
import type { Message } from '../message.js'
import { toPattern } from '../pattern.js'
import { portableCopy } from '../portable.js'
import type { Call as CarriedCall } from '../transport.js'
import { toActOptions } from './act-options.js'
import type { Action } from './action.js'
import { Actions, type Slot } from './actions.js'
import { blame } from './blame.js'
import { Call, describe, type Ledger, type Origin } from './call.js'
import { CallContext, callOf, type Within } from './context.js'
import { guard } from './guard.js'
import { type Head, Heads, wholeMessage } from './head.js'
import { isThenable } from './thenable.js'
import { type Wrap, Wraps } from './wraps.js'

/** Bounds and manners that hold for every act of an app. */
export interface Rules {
  readonly timeoutMs: number
  readonly maxTimeoutMs: number
  readonly maxHops: number
  readonly strict: boolean
}

/** What becomes of an act that no action answers: it is refused, or held until `answered`, and then done `again`. */
export type Unanswered = (
  message: Message,
  call: Call | undefined,
  wish: ActOptions | undefined,
  answered: () => boolean,
  again: (leftMs: number) => Promise<unknown>,
) => Promise<unknown>

/** What `diagnostics_channel` subscribers of `tracing:lucilius:act:*` get. */
export interface ActTrace {
  readonly pattern: string
  readonly service: string
  readonly remote: string | undefined
  readonly message: Message
  readonly hops: number
  result?: unknown
  error?: unknown
}

/** How a call came to its action: how many hops, and if not by its message, then by which pattern. */
interface Way {
  readonly hops: number
  readonly below?: string | undefined
  readonly by?: string | undefined
}

/** What an act from a peer brings along, checked and clamped. */
export interface Arrival {
  readonly hops: number
  readonly timeoutMs: number
  readonly origin: Origin
  readonly id: string | undefined
  readonly traceparent: string | undefined
  /** Its cancel hook is set to cancel the call here. */
  readonly carried: CarriedCall
}

const channel = tracingChannel<unknown, ActTrace>('lucilius:act')
const nobody: Origin = Object.freeze({})

/**
 * Finds the action for a message and runs it: the core of the core.
 *
 * `act` and what it calls up to `Call.open` is the hot path: no closures beyond the promise's, no object that is not
 * needed. Measured by `npm run bench -- local`.
 */
export class Dispatcher implements Ledger, Within {
  readonly actions = new Actions()
  readonly wraps = new Wraps()
  readonly #heads = new Heads<Slot>()
  readonly #rules: Rules
  readonly #unanswered: Unanswered
  readonly #emit: Within['emit']
  /** How many calls run that no other call accounts for. */
  running = 0
  /** Called when `running` reaches 0. */
  onIdle: (() => void) | undefined = undefined

  constructor(rules: Rules, unanswered: Unanswered, emit: Within['emit']) {
    this.#rules = rules
    this.#unanswered = unanswered
    this.#emit = emit
  }

  add(action: Action): void {
    this.#compose(action)
    this.actions.add(action)
  }

  wrap(wrap: Wrap): void {
    this.wraps.add(wrap)
    try {
      this.#recompose()
    } catch (error) {
      this.unwrap(wrap)
      throw error
    }
  }

  unwrap(wrap: Wrap): void {
    this.wraps.remove(wrap)
    this.#recompose()
  }

  /** Sends a message from within `call`, or from outside when it is undefined. Never throws. */
  act(call: Call | undefined, first: unknown, data: unknown, options: unknown): Promise<unknown> {
    let message: Message
    let slot: Slot | undefined
    let wish: ActOptions | undefined
    let by: string | undefined
    try {
      wish = options === undefined ? undefined : toActOptions(options)
      const { router } = this.actions
      if (typeof first === 'string') {
        const head = this.#heads.of(first)
        message = head.over(data)
        if (wish?.exact === true) {
          by = head.pattern
          slot = head.alone(router)
        } else {
          slot = head.route(router, message)
        }
      } else if (data === undefined) {
        message = wholeMessage(first)
        slot = router.find(message)
      } else {
        const head = this.headOf(first)
        message = head.over(data)
        if (wish?.exact === true) by = head.pattern
        slot = router.find(by === undefined ? message : head.message)
      }
    } catch (error) {
      return Promise.reject(error)
    }
    if (slot === undefined) return this.#hold(message, call, wish, by)
    return this.#start(slot.top, message, call, wish, by)
  }

  /** A first argument that is an object. */
  headOf(first: unknown): Head<Slot> {
    return this.#heads.from(wholeMessage(first))
  }

  /** The message that a text or object and the data beside it make. Throws what is wrong with them. */
  messageOf(first: unknown, data: unknown): Message {
    if (typeof first === 'string') return this.#heads.of(first).over(data)
    return data === undefined ? wholeMessage(first) : this.headOf(first).over(data)
  }

  #hold(
    message: Message,
    call: Call | undefined,
    wish: ActOptions | undefined,
    by: string | undefined,
  ): Promise<unknown> {
    const find = () => this.actions.router.find(by === undefined ? message : toPattern(by).pairs)
    const again = (leftMs: number) => {
      const slot = find()
      const left = { ...wish, timeoutMs: leftMs }
      return slot === undefined ? this.#hold(message, call, left, by) : this.#start(slot.top, message, call, left, by)
    }
    return this.#unanswered(message, call, wish, () => find() !== undefined, again)
  }

  /** Runs an action on a message as a new call, within the wraps of the caller's side. */
  #start(
    action: Action,
    message: Message,
    parent: Call | undefined,
    wish: ActOptions | undefined,
    by: string | undefined,
  ): Promise<unknown> {
    const way: Way = { hops: parent === undefined ? 1 : parent.hops + 1, by }
    if (!channel.hasSubscribers) return this.#run(action, action.outer, message, parent, wish, way)
    return channel.tracePromise(
      () => this.#run(action, action.outer, message, parent, wish, way),
      traceOf(action, message, way.hops),
    )
  }

  prior(call: Call, message: unknown): Promise<unknown> {
    const prior = this.actions.prior(call.action)
    if (prior === undefined) return Promise.resolve(undefined)
    let asked: Message
    try {
      asked = message === undefined ? call.message : wholeMessage(message)
    } catch (error) {
      return Promise.reject(error)
    }
    return this.#run(prior, undefined, asked, call, undefined, { hops: call.hops + 1, below: call.action.pattern.text })
  }

  emit(call: Call, first: unknown, data: unknown, options: unknown): Promise<void> {
    return this.#emit(call, first, data, options)
  }

  began(): void {
    this.running++
  }

  ended(): void {
    if (--this.running === 0) this.onIdle?.()
  }

  deliver(reply: unknown): unknown {
    return this.#rules.strict ? portableCopy(reply, 'reply') : reply
  }

  blame(thrown: unknown, call: Call): Error {
    if (this.#rules.strict && thrown instanceof ActionError) return checkDetails(thrown)
    return blame(thrown, call)
  }

  /** The action that answers a call's message now. */
  reroute(call: Call): Action | undefined {
    if (call.below !== undefined) return this.actions.wider(toPattern(call.below))
    return this.actions.router.find(call.by === undefined ? call.message : toPattern(call.by).pairs)?.top
  }

  /** Runs another action in the place of a call's own, as the same hop. */
  follow(action: Action, call: Call): Promise<unknown> {
    return this.#run(action, undefined, call.message, call, undefined, {
      hops: call.hops,
      below: call.below,
      by: call.by,
    })
  }

  /** Runs an action of this app for a peer. */
  answer(action: Action, message: Message, arrival: Arrival): Promise<unknown> {
    if (!channel.hasSubscribers) return this.#answer(action, message, arrival)
    return channel.tracePromise(() => this.#answer(action, message, arrival), traceOf(action, message, arrival.hops))
  }

  #answer(action: Action, message: Message, arrival: Arrival): Promise<unknown> {
    const { strict, maxHops } = this.#rules
    const { hops, origin, id, traceparent, carried } = arrival
    let asked = message
    try {
      if (hops > maxHops) throw tooManyHops(describe(action), maxHops)
      if (arrival.timeoutMs <= 0) throw tooLate(action)
      if (strict) asked = portableCopy(message, 'message') as Message
    } catch (error) {
      return Promise.reject(error)
    }
    const call = new Call(this, action, asked, undefined, hops, Math.min(arrival.timeoutMs, action.timeoutMs), origin)
    call.continues(id, traceparent)
    carried.onCancel = () => call.cancel('LUC_CANCELLED', `The caller cancelled ${describe(action)}.`)
    return this.launch(call, action.run, true, undefined)
  }

  /** Checks what every call must keep to, and starts one: of `outer` if there is one, else of the action itself. */
  #run(
    action: Action,
    outer: Handler | undefined,
    message: Message,
    parent: Call | undefined,
    wish: ActOptions | undefined,
    way: Way,
  ): Promise<unknown> {
    const { hops } = way
    const { strict, maxHops, maxTimeoutMs } = this.#rules
    let timeoutMs = wish?.timeoutMs ?? this.#rules.timeoutMs
    let ownTime = wish?.timeoutMs !== undefined
    if (action.timeoutMs < timeoutMs && outer === undefined) {
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
        if (parent.settled) timeoutMs = whatIsLeft(parent, action, timeoutMs)
      }
      if (wish !== undefined) origin = withWish(origin, wish, action)
      // A message that the parent's own check gave back is frozen already.
      if (strict && message !== parent?.message) asked = portableCopy(message, 'message') as Message
    } catch (error) {
      return Promise.reject(error)
    }
    const call = new Call(this, action, asked, parent, hops, timeoutMs, origin)
    call.below = way.below
    call.by = way.by
    if (outer === undefined) return this.launch(call, action.run, ownTime, wish?.signal)
    call.atCaller = true
    return this.launch(call, outer, ownTime, wish?.signal)
  }

  /** Starts a call: its clock, its cancellation and its handler. */
  launch(
    call: Call,
    handler: Handler,
    ownTime: boolean,
    signal: AbortSignal | undefined,
    within: Within = this,
  ): Promise<unknown> {
    return new Promise((resolve, reject) => {
      call.resolve = resolve
      call.reject = reject
      call.open(ownTime)
      if (signal !== undefined) followSignal(call, signal)
      let reply: unknown
      try {
        reply = handler(call.message, new CallContext(call, within))
      } catch (error) {
        call.fail(error)
        return
      }
      if (isThenable(reply)) {
        reply.then(
          (value) => call.succeed(value),
          (error) => call.fail(error),
        )
      } else {
        call.succeed(reply)
      }
    })
  }

  #compose(action: Action): void {
    const wrapped = this.wraps.around(action, 'handler').length > 0
    const inner = action.remote === undefined ? guard(action, this.#rules.strict, wrapped) : action.handler
    action.run = this.wraps.compose(action, 'handler', inner)
    action.outer = this.wraps.around(action, 'caller').length > 0 ? this.#composeOuter(action) : undefined
  }

  /** The caller's wraps go around a call of its own, so that each try of theirs settles by itself. */
  #composeOuter(action: Action): Handler {
    return this.wraps.compose(action, 'caller', (message, context) => {
      const call = callOf(context)
      return this.#run(action, undefined, message, call, undefined, { hops: call?.hops ?? 1, by: call?.by })
    })
  }

  #recompose(): void {
    for (const action of this.actions.all()) this.#compose(action)
  }
}

function traceOf(action: Action, message: Message, hops: number): ActTrace {
  return { pattern: action.pattern.text, service: action.service, remote: action.remote, message, hops }
}

function tooLate(action: Action): LuciliusError {
  return new LuciliusError('LUC_DEADLINE_EXCEEDED', `${describe(action)} was not started: its deadline had passed.`, {
    handled: 'no',
  })
}

function followSignal(call: Call, signal: AbortSignal): void {
  const abort = () => call.cancel('LUC_CANCELLED', `The caller cancelled ${describe(call.action)}.`)
  signal.addEventListener('abort', abort, { once: true })
  call.onSettled = () => signal.removeEventListener('abort', abort)
}

function withWish(origin: Origin, wish: ActOptions, action: Action): Origin {
  if (wish.signal?.aborted === true) {
    throw new LuciliusError('LUC_CANCELLED', `The caller had cancelled before ${describe(action)} was started.`, {
      handled: 'no',
    })
  }
  return wish.identity === undefined ? origin : { ...origin, identity: wish.identity }
}

/** The time for an act that a handler makes after it has settled: what its own call had left. */
function whatIsLeft(parent: Call, action: Action, timeoutMs: number): number {
  const { end } = parent
  if (end !== undefined) {
    throw new LuciliusError(
      end.code,
      `${describe(action)} was not started: ${end.code === 'LUC_CANCELLED' ? 'the call it belongs to was cancelled' : 'its deadline had passed'}.`,
      { handled: 'no' },
    )
  }
  return Math.min(timeoutMs, Math.max(1, parent.remainingMs))
}

/** The error for a chain of acts that is longer than allowed. */
export function tooManyHops(what: string, maxHops: number): LuciliusError {
  return new LuciliusError(
    'LUC_TOO_MANY_HOPS',
    `${what} was not started: ${maxHops} acts had led to it already, most likely in a loop. Raise maxHops if the chain is meant.`,
  )
}

function checkDetails(error: ActionError): Error {
  try {
    portableCopy(error.details, 'reply')
    return error
  } catch (problem) {
    // portableCopy throws nothing but the LuciliusError that names the field.
    return problem as Error
  }
}
