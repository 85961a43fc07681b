import type { Batch } from './batch.js'
import { eventKey, holdersKey, numberKey } from './keys.js'

/** Keeps an event for so many subscriptions. */
export function keepEvent(batch: Batch, number: number, text: string, holders: number): void {
  batch.put(eventKey(number), text)
  if (holders > 1) batch.put(holdersKey(number), String(holders))
}

/** One subscription has no more need of it: the last one takes it away. */
export function releaseEvent(batch: Batch, number: number): void {
  const holders = Number(batch.get(holdersKey(number)) ?? 1)
  if (holders === 1) batch.delete(eventKey(number))
  else if (holders === 2) batch.delete(holdersKey(number))
  else batch.put(holdersKey(number), String(holders - 1))
}

/** The next number: events and dead letters share them. No number is given twice. */
export function nextNumber(batch: Batch): number {
  const number = Number(batch.get(numberKey) ?? 0) + 1
  batch.put(numberKey, String(number))
  return number
}
