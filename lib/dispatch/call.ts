import { remainingMs, settleDeadline, startDeadline, type Waiting } from '../deadline.js'
import { LuciliusError } from '../errors.js'
import type { PeerInfo } from '../handler.js'
import type { Message } from '../message.js'
import { childOf, newId, newTraceParent, parseTraceParent } from '../trace.js'
import type { Call as CarriedCall, WireError } from '../transport.js'
import type { Action } from './action.js'

/** Where a call comes from, shared by all calls that follow from it. */
export interface Origin {
  readonly identity?: unknown
  readonly peer?: PeerInfo
  /** Somebody up the line tries again: nobody down the line does. */
  readonly retried?: boolean
}

/** What a call tells those who keep the books: how many run, and what becomes of replies and errors. */
export interface Ledger {
  /** A call that nothing else accounts for began or ended. */
  began(call: Call): void
  ended(call: Call): void
  /** Makes a reply fit for the caller; throws the error to fail with. */
  deliver(reply: unknown, call: Call): unknown
  /** Makes whatever was thrown an error of this framework or of the action. */
  blame(thrown: unknown, call: Call): Error
}

/** Who waits for the end of a call: told once, by one of these. */
export interface Waiter {
  resolve(reply: unknown): void
  reject(error: Error): void
}

/** Why a call may be given up. */
export type CancelCode = 'LUC_DEADLINE_EXCEEDED' | 'LUC_CANCELLED' | 'LUC_UNREACHABLE'

/**
 * One run of one action, from the moment it starts to the one reply or error that settles it.
 *
 * A call made inside another belongs to it: it ends with it when that one is cancelled or expires, and has no timer of
 * its own unless it was given less time. What is rarely asked for (id, trace, signal) is made when it is first read.
 * Fields instead of private ones, `declare` so that they are written once, and no closures: millions of these are made
 * a second (`npm run bench -- local`).
 */
export class Call implements Waiting, CarriedCall {
  declare readonly ledger: Ledger
  declare readonly action: Action
  /** What the handler is asked, as it is before the schema; a wrap may have replaced what was sent. */
  declare message: Message
  declare readonly parent: Call | undefined
  declare readonly hops: number
  declare timeoutMs: number
  declare readonly origin: Origin
  declare resolve: (reply: unknown) => void
  declare reject: (error: Error) => void
  /** Is told the end instead of `resolve` and `reject`, where nobody needs a promise. */
  waiter: Waiter | undefined = undefined
  onCancel: (() => void) | undefined = undefined
  /** The error that the framework itself found inside (schema, parity): passes unchanged where a handler's would not. */
  failure: Error | undefined = undefined
  /** Goes around the wraps of the caller's side: its errors are those of the call inside. */
  atCaller = false
  /** The pattern whose action asked for its prior, and the one that was routed by instead of the message. */
  below: string | undefined = undefined
  by: string | undefined = undefined
  /** What an earlier try ended in, of which nobody knows whether it was handled. */
  doubt: WireError | undefined = undefined
  /** Nothing has left this process yet: it waits for somebody who can answer. */
  parked = false
  /** Called once when the call is settled. */
  onSettled: (() => void) | undefined = undefined
  settled = false
  expiresAt = 0
  before: Waiting | undefined = undefined
  after: Waiting | undefined = undefined
  /** Its caller has given up, and its handler goes on. */
  #isAbandoned = false
  #timed = false
  #alone = false
  #children: Set<Call> | undefined = undefined
  #controller: AbortController | undefined = undefined
  #end: LuciliusError | undefined = undefined
  #id: string | undefined = undefined
  #traceparent: string | undefined = undefined
  /** The trace that it came with from outside, unchecked. */
  #cameWith: string | undefined = undefined
  #deadline = 0

  constructor(
    ledger: Ledger,
    action: Action,
    message: Message,
    parent: Call | undefined,
    hops: number,
    timeoutMs: number,
    origin: Origin,
  ) {
    this.ledger = ledger
    this.action = action
    this.message = message
    this.parent = parent
    this.hops = hops
    this.timeoutMs = timeoutMs
    this.origin = origin
  }

  /** Starts the clock: its own if it stands alone or has less time than its parent, else the parent's. */
  open(ownTime: boolean): void {
    const { parent } = this
    if (parent === undefined || parent.settled) {
      this.#standAlone()
      return
    }
    parent.#adopt(this)
    if (ownTime && this.timeoutMs < parent.remainingMs) this.#keepTime()
  }

  succeed(reply: unknown): void {
    if (this.settled) {
      this.#returned()
      return
    }
    let delivered: unknown
    try {
      delivered = this.ledger.deliver(reply, this)
    } catch (error) {
      // `deliver` throws nothing but the error to fail with.
      this.#settle()
      this.#tellFailure(error as Error)
      return
    }
    this.#settle()
    if (this.waiter === undefined) this.resolve(delivered)
    else this.waiter.resolve(delivered)
  }

  fail(thrown: unknown): void {
    if (this.settled) {
      this.#returned()
      return
    }
    const error = this.ledger.blame(thrown, this)
    this.#settle()
    this.#tellFailure(error)
  }

  /** The deadline passed. */
  expire(): void {
    if (this.#waits()) {
      this.cancel(
        'LUC_UNREACHABLE',
        `Nobody who answers ${describe(this.action)} could be reached within ${Math.round(this.timeoutMs)} ms.`,
      )
      return
    }
    this.cancel(
      'LUC_DEADLINE_EXCEEDED',
      `${describe(this.action)} did not answer within ${Math.round(this.timeoutMs)} ms.`,
    )
  }

  /** Gives up: the caller gets the error now, the handler's signal aborts, and so do the calls inside. */
  cancel(code: CancelCode, message: string): void {
    if (this.settled) return
    const handled = this.#waits() ? 'no' : 'unknown'
    const error = new LuciliusError(code, message, { handled })
    this.#end = error
    // What runs elsewhere is counted there.
    if (this.action.remote === undefined && !this.atCaller) {
      this.#isAbandoned = true
      this.action.abandoned++
    }
    const children = this.#children
    this.#children = undefined
    this.#settle()
    this.#tellFailure(error)
    this.#controller?.abort(error)
    if (children !== undefined) for (const child of children) child.cancel(code, message)
    try {
      this.onCancel?.()
    } catch {
      // A transport's fault, in a call that is over: neither its siblings nor the clock may suffer from it.
    }
  }

  /** Whether it waits for somebody who can answer: itself, or the only call that the caller's wraps have under way. */
  #waits(): boolean {
    if (this.parked) return true
    const children = this.#children
    if (!this.atCaller || children === undefined || children.size !== 1) return false
    for (const child of children) if (!child.parked) return false
    return true
  }

  /** Why the call was given up; undefined while it runs and after it settled by itself. */
  get end(): LuciliusError | undefined {
    return this.#end
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.#end !== undefined) this.#controller.abort(this.#end)
    }
    return this.#controller.signal
  }

  /** Milliseconds that are left. */
  get remainingMs(): number {
    const { parent } = this
    // A call that stands alone has outlived its parent, and was given what that had left.
    if (this.#alone || parent === undefined) return this.#timed ? remainingMs(this) : this.timeoutMs
    return this.#timed ? Math.min(remainingMs(this), parent.remainingMs) : parent.remainingMs
  }

  /** The moment of the deadline, in milliseconds since the epoch. */
  get deadline(): number {
    if (this.#deadline !== 0) return this.#deadline
    const { parent } = this
    const own = this.#timed ? Math.round(Date.now() + remainingMs(this)) : Number.POSITIVE_INFINITY
    this.#deadline = parent === undefined ? own : Math.min(own, parent.deadline)
    return this.#deadline
  }

  get id(): string {
    this.#id ??= newId()
    return this.#id
  }

  get traceparent(): string {
    this.#traceparent ??= this.parent === undefined ? this.#rootTrace() : childOf(this.parent.traceparent)
    return this.#traceparent
  }

  /** Goes on with the id and the trace of a call that came from elsewhere. */
  continues(id: string | undefined, traceparent: string | undefined): void {
    this.#id = id
    this.#cameWith = traceparent
  }

  /**
   * Whether anybody here may know its id and trace. Those of an act from outside any handler are not made to be sent:
   * who answers it makes them, if they are asked for there.
   */
  get isTraceable(): boolean {
    return this.parent !== undefined || this.#id !== undefined || this.#traceparent !== undefined
  }

  #rootTrace(): string {
    const from = parseTraceParent(this.#cameWith)
    return from === undefined ? newTraceParent() : childOf(from)
  }

  #tellFailure(error: Error): void {
    if (this.waiter === undefined) this.reject(error)
    else this.waiter.reject(error)
  }

  /** The handler of a call that was given up has come to an end. */
  #returned(): void {
    if (!this.#isAbandoned) return
    this.#isAbandoned = false
    this.action.abandoned--
  }

  #settle(): void {
    this.settled = true
    this.onSettled?.()
    // First of all: once this call has ended, whoever drains may find that nothing runs.
    if (this.#children !== undefined) this.#orphan(this.#children)
    if (this.#timed) settleDeadline(this)
    if (this.#alone) this.ledger.ended(this)
    else if (this.parent !== undefined) this.parent.#release(this)
  }

  #adopt(child: Call): void {
    this.#children ??= new Set()
    this.#children.add(child)
  }

  #release(child: Call): void {
    this.#children?.delete(child)
  }

  /** Calls that outlive the handler that made them go on for the time that was left, and are waited for by themselves. */
  #orphan(children: Set<Call>): void {
    this.#children = undefined
    const left = this.remainingMs
    for (const child of children) {
      // Its own clock, if it has one, was set to less.
      if (!child.#timed) child.timeoutMs = left
      child.#standAlone()
    }
  }

  #standAlone(): void {
    this.#alone = true
    this.ledger.began(this)
    this.#keepTime()
  }

  #keepTime(): void {
    if (this.#timed) return
    this.#timed = true
    startDeadline(this)
  }
}

/** The words for an action in messages to people. */
export function describe(action: Action): string {
  return action.pattern.text === '' ? `The catch-all of '${action.service}'` : action.pattern.text
}
