import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { Handler } from '../handler.js'
import type { Logger } from '../logger.js'
import type { Pattern } from '../pattern.js'

/** What the author of an action may say about it. */
export interface ActionOptions {
  /** Checks and converts the message before the handler gets it. */
  readonly message?: StandardSchemaV1 | undefined
  /** Checks and converts the reply before the caller gets it. */
  readonly reply?: StandardSchemaV1 | undefined
  /** Running it twice does no harm, so a call whose fate is unknown may be tried again. */
  readonly idempotent?: boolean | undefined
  /** The most milliseconds that a run may take, counted where it runs. */
  readonly timeoutMs?: number | undefined
}

/** A pattern and its handler, as registered; the handler computes the reply here or carries the message to a peer. */
export interface Action {
  readonly pattern: Pattern
  readonly service: string
  readonly options: ActionOptions
  readonly handler: Handler
  /** The name of the peer where it runs; undefined when it runs here. */
  readonly remote: string | undefined
  readonly log: Logger
  /** Position in the order of registration. */
  readonly order: number
  /** Milliseconds, `Infinity` when the author set no limit. */
  readonly timeoutMs: number
  /** What an act runs: the wraps around parity, schemas and handler. Composed at registration. */
  run: Handler
  /** The wraps of the caller's side around everything, if there are any. */
  outer: Handler | undefined
  /** Runs that go on though their callers gave up: of handlers that have not returned yet. */
  abandoned: number
  /** Of one that holds acts until they may go on: the same, going on to what `choose` gives then. */
  readonly held?: (choose: () => Action) => Action
}
