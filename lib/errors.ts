/**
 * Whether the work of an act was done: `no` means that it certainly was not started, `yes` that the handler ran,
 * `unknown` that nobody can say. Only `no` makes it safe to send the same message again.
 */
export type Handled = 'no' | 'yes' | 'unknown'

/** What the table says about one code. */
export interface ErrorRow {
  /** What an error of this code carries unless the place that throws it knows better. */
  readonly handled: Handled
  /** Whether the same message may well succeed a little later. It does not say that sending it again is safe. */
  readonly retryable: boolean
  /** One sentence for a human reader. */
  readonly summary: string
}

const rows = Object.freeze({
  LUC_OPTIONS_INVALID: row('no', false, 'An option or argument is missing, unknown or has a wrong value.'),
  LUC_PATTERN_INVALID: row('no', false, 'A pattern or message string cannot be understood.'),
  LUC_HANDLER_INVALID: row('no', false, 'A handler or middleware is not a function.'),
  LUC_PLUGIN_INVALID: row('no', false, 'A plugin has a wrong shape, a name in use, or needs one that is not there.'),
  LUC_EXPOSE_REQUIRED: row('no', false, 'A listener was opened without saying which actions it lets in.'),
  LUC_PLUGIN_FAILED: row('no', false, 'The set-up of a plugin threw, or took too long.'),
  LUC_LISTEN_FAILED: row('no', false, 'A listener could not be opened.'),
  LUC_MESSAGE_INVALID: row('no', false, 'The message is not an object, breaks a limit, or its schema says no.'),
  LUC_WIRE_INVALID: row('no', false, 'The bytes that arrived cannot be decoded.'),
  LUC_NOT_PORTABLE: row('no', false, 'A message or reply holds something that JSON would change or lose.'),
  LUC_UNAUTHENTICATED: row('no', false, 'The caller did not say who it is, or could not prove it.'),
  LUC_FORBIDDEN: row('no', false, 'The caller is known, and may not do this.'),
  LUC_ACTION_NOT_FOUND: row('no', false, 'No action answers the message.'),
  LUC_ROUTE_CHANGED: row('no', true, 'The peer would run another action than the caller chose.'),
  LUC_METHOD_NOT_ALLOWED: row('no', false, 'The method of the request is not one that this address answers.'),
  LUC_UNSUPPORTED_MEDIA: row('no', false, 'The body of the request is not JSON.'),
  LUC_TOO_LARGE: row('no', false, 'The message has more bytes than are allowed.'),
  LUC_OVERLOADED: row('no', true, 'A bound on waiting or running work is reached.'),
  LUC_SERVICE_CLOSED: row('no', true, 'The app is draining or closed.'),
  LUC_UNREACHABLE: row('no', true, 'The message never left, because nobody could be reached in time.'),
  LUC_REPLY_LOST: row('unknown', false, 'The message left, and no answer came back.'),
  LUC_DEADLINE_EXCEEDED: row('unknown', false, 'The deadline passed before there was an answer.'),
  LUC_CANCELLED: row('unknown', false, 'The caller cancelled before there was an answer.'),
  LUC_TOO_MANY_HOPS: row('no', false, 'Acts called acts more often than allowed, most likely in a loop.'),
  LUC_ACTION_FAILED: row('yes', false, 'The handler threw something that is not an ActionError.'),
  LUC_STORE_REQUIRED: row('no', false, 'Something durable or retained is registered, and the app has no store.'),
  LUC_STORE_FAILED: row('unknown', true, 'The store cannot be reached, or did not say that it has stored the event.'),
  LUC_REPLY_INVALID: row('yes', false, 'The reply fails its schema, or cannot be carried.'),
})

/** A code of the framework: a key of {@link errorTable}. */
export type LuciliusCode = keyof typeof rows

/** Every code that a {@link LuciliusError} can have. `docs/errors.md` has a section on each. */
export const errorTable: { readonly [C in LuciliusCode]: ErrorRow } = rows

/** Tells whether a text, from a peer for instance, is a code that this version knows. */
export function isLuciliusCode(code: unknown): code is LuciliusCode {
  return typeof code === 'string' && Object.hasOwn(errorTable, code)
}

/** What a {@link LuciliusError} may say beyond its code and message. */
export interface LuciliusErrorOptions {
  /** Replaces what the table says, where the thrower knows better. */
  readonly handled?: Handled
  /** Facts for programs, JSON only. They may be sent to the caller. */
  readonly details?: unknown
  /** What led to it. Stays in this process, never sent. */
  readonly cause?: unknown
}

// `Symbol.for`, so that two copies of the package in one process recognise each other's errors.
const luciliusBrand = Symbol.for('lucilius.LuciliusError')
const actionBrand = Symbol.for('lucilius.ActionError')

/**
 * A failure of the framework itself: look at `code`, and at `handled` to learn whether the work was done.
 *
 * A code that this version does not know (a newer peer may send one) is `handled: 'unknown'` unless it is told.
 */
export class LuciliusError extends Error {
  /** What went wrong: a key of {@link errorTable}. */
  readonly code: LuciliusCode
  /** Whether the work was done. */
  readonly handled: Handled
  /** Whether the same message may well succeed a little later. */
  readonly retryable: boolean
  /** Facts for programs, JSON only. */
  declare readonly details?: unknown

  constructor(code: LuciliusCode, message: string, options?: LuciliusErrorOptions) {
    super(message, options?.cause === undefined ? undefined : { cause: options.cause })
    const known: ErrorRow | undefined = errorTable[code]
    this.code = code
    this.handled = options?.handled ?? known?.handled ?? 'unknown'
    this.retryable = known?.retryable ?? false
    if (options?.details !== undefined) this.details = options.details
  }

  static {
    brand(this.prototype, luciliusBrand, 'LuciliusError')
  }

  /** True for errors of another copy of the package too; a subclass keeps the ordinary meaning. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return this === LuciliusError ? isBranded(value, luciliusBrand) : isInstance(this, value)
  }
}

/**
 * What a handler throws to refuse: the only error that reaches the caller unchanged, over every transport.
 *
 * `details` must be JSON. Throws `LUC_OPTIONS_INVALID` for an empty code and for one that starts with `LUC_`:
 * those are the framework's.
 */
export class ActionError extends Error {
  /** The author's own code, such as `RATE_UNKNOWN`. */
  readonly code: string
  /** Facts for programs, JSON only. */
  declare readonly details?: unknown

  constructor(code: string, message: string, details?: unknown) {
    super(message)
    checkActionCode(code)
    this.code = code
    if (details !== undefined) this.details = details
  }

  static {
    brand(this.prototype, actionBrand, 'ActionError')
  }

  /** True for errors of another copy of the package too; a subclass keeps the ordinary meaning. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return this === ActionError ? isBranded(value, actionBrand) : isInstance(this, value)
  }
}

function row(handled: Handled, retryable: boolean, summary: string): ErrorRow {
  return Object.freeze({ handled, retryable, summary })
}

function checkActionCode(code: unknown): void {
  if (typeof code !== 'string' || code === '') {
    throw new LuciliusError('LUC_OPTIONS_INVALID', "An ActionError needs a code, a text such as 'RATE_UNKNOWN'.")
  }
  if (!code.startsWith('LUC_')) return
  const advice = "Codes that start with 'LUC_' belong to the framework: choose another."
  throw new LuciliusError('LUC_OPTIONS_INVALID', `An ActionError cannot have the code '${code}'. ${advice}`)
}

// On the prototype and not enumerable, so that each error object stays small and prints only its facts.
function brand(prototype: object, mark: symbol, name: string): void {
  Object.defineProperty(prototype, mark, { value: true })
  Object.defineProperty(prototype, 'name', { value: name, writable: true, configurable: true })
}

function isBranded(value: unknown, mark: symbol): boolean {
  if (typeof value !== 'object' || value === null) return false
  try {
    return mark in value
  } catch {
    return false // a Proxy whose trap throws: anything may be thrown
  }
}

function isInstance(type: unknown, value: unknown): boolean {
  return Function.prototype[Symbol.hasInstance].call(type, value)
}
