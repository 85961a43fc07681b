import { type DurableSubscription, isMessage } from '../../../lib/transport-kit.js'

/** A subscription as it is written down. */
export type Entry = Pick<DurableSubscription, 'name' | 'pattern' | 'ordered'>

/** Reads what is written of a subscription. Undefined for what is none. */
export function toEntry(value: unknown): Entry | undefined {
  if (!isMessage(value)) return undefined
  const { name, pattern, ordered } = value
  if (typeof name !== 'string' || typeof pattern !== 'string' || typeof ordered !== 'boolean') return undefined
  return { name, pattern, ordered }
}
