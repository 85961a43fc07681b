import { type DurableSubscription, isMessage } from '../../../lib/transport-kit.js'

/** A subscription as it is written down. */
export interface Entry extends Pick<DurableSubscription, 'name' | 'pattern' | 'ordered'> {
  /** The pattern of the instance that started last, whether any of it is there. */
  readonly pattern: string
  /** Other patterns that instances may serve it with: see {@link OtherVersions}. */
  readonly also: readonly string[]
}

/** How many other patterns are kept, the latest first: so many versions do not run side by side. */
const mostOthers = 8

/** The entry of a subscription that an instance starts to serve, after what was written before. */
export function startedWith({ name, pattern, ordered }: DurableSubscription, before: Entry | undefined): Entry {
  if (before === undefined || before.ordered !== ordered) return { name, pattern, ordered, also: [] }
  if (before.pattern === pattern) return before
  const also = [before.pattern, ...before.also].filter((one) => one !== pattern).slice(0, mostOthers)
  return { name, pattern, ordered, also }
}

/** Reads what is written of a subscription. Undefined for what is none. */
export function toEntry(value: unknown): Entry | undefined {
  if (!isMessage(value)) return undefined
  const { name, pattern, ordered, also } = value
  if (typeof name !== 'string' || typeof pattern !== 'string' || typeof ordered !== 'boolean') return undefined
  const others = Array.isArray(also) ? (also as readonly unknown[]).filter((one) => typeof one === 'string') : []
  return { name, pattern, ordered, also: others }
}
