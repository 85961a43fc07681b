import { tracingChannel } from 'node:diagnostics_channel'
import type { Message } from '../message.js'
import type { Action } from './action.js'

/** What subscribers of the channels `tracing:lucilius:act:start`, `asyncEnd`, `error` and so on get. */
export interface ActTrace {
  /** The canonical text of the action's pattern. */
  readonly pattern: string
  /** The service that answers. */
  readonly service: string
  /** The peer where it runs; undefined when it runs here. */
  readonly remote: string | undefined
  /** What was sent. */
  readonly message: Message
  /** How many acts and priors led here, this one included. */
  readonly hops: number
  /** The reply, in `asyncEnd`. */
  result?: unknown
  /** What the act was rejected with, in `error`. */
  error?: unknown
}

const channel = tracingChannel<unknown, ActTrace>('lucilius:act')

/** Whether anybody listens. Where nobody does, tracing costs nothing. */
export function isTraced(): boolean {
  return channel.hasSubscribers
}

/** Runs an act so that those who listen hear of it. */
export function traced(action: Action, message: Message, hops: number, run: () => Promise<unknown>): Promise<unknown> {
  const { pattern, service, remote } = action
  return channel.tracePromise(run, { pattern: pattern.text, service, remote, message, hops })
}
