/// <reference lib="esnext.disposable" preserve="true" />
/** An action, a wrap or a subscription as it stands in the app: `using` it, or calling `remove`, takes it out again. */
export interface Registration {
  /** Takes it out. Messages that are already running finish; a second call does nothing. */
  remove(): void
  /** The same as `remove`, for `using`. */
  [Symbol.dispose](): void
}

/** A handler that observes events. */
export interface Subscription extends Registration {
  /** How often its handler threw, rejected or took too long. Nobody else notices: a subscriber never fails the emitter. */
  readonly failures: number
}
