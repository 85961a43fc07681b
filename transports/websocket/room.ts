import { isMessage, type Message } from '../../lib/transport-kit.js'
import type { OwnRoom, Room } from './frame-text.js'

/** What the other end said it takes; what it did not say, or said wrongly, is taken to be as it is here. */
export function readRoom({ limits, rows, tables }: Message, own: OwnRoom): Room {
  const told = isMessage(limits) ? limits : {}
  return {
    maxBytes: count(told.maxBytes) ?? own.maxBytes,
    maxInFlight: count(told.maxInFlight) ?? own.maxInFlight,
    rows: rows === true,
    tables: tables === true,
  }
}

function count(value: unknown): number | undefined {
  return Number.isSafeInteger(value) && (value as number) > 0 ? (value as number) : undefined
}
