import type { Failure } from '../../lib/transport-kit.js'

/** What is remembered of the deliveries of an event to one subscription. */
export interface History {
  /** How often it was delivered. */
  readonly attempt: number
  /** When it was first delivered, in ms since the epoch; 0 if it was not. */
  readonly firstAt: number
  readonly failures: readonly Failure[]
}

/** An event that one subscription has yet to handle, in memory. */
export interface Entry {
  /** The number of the event: the order in which events were stored. */
  readonly number: number
  /** The event as JSON. */
  readonly text: string
  /** Where it lies in the database: at rest, delayed, or given to somebody. */
  home: string
  history: History
}

/** Nothing was delivered yet. */
export const untouched: History = Object.freeze({ attempt: 0, firstAt: 0, failures: [] })

/** A history as it is kept: nothing for an untouched one. */
export function historyText(history: History): string {
  return history.attempt === 0 ? '' : JSON.stringify(history)
}

export function readHistory(text: string): History {
  return text === '' ? untouched : (JSON.parse(text) as History) // we wrote it
}
