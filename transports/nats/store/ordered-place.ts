import { isMessage } from '../../../lib/transport-kit.js'

/** An event that an ordered subscription has begun with, and not ended. */
export interface Open {
  /** How often it was delivered. */
  readonly deliveries: number
  /** When it was first, ms since the epoch. */
  readonly firstAt: number
}

/**
 * Where an ordered subscription is: everything up to a sequence of the stream is behind it, but what is open. Written down
 * before an event is delivered and after it was ended, with who does that: so it is exact, whoever goes on.
 */
export interface OrderedPlace {
  readonly upTo: number
  /** By sequence, ascending. */
  readonly open: ReadonlyMap<number, Open>
  /** One instance at a time: its sign, another one for each time it takes over. Null if whoever wants may. */
  readonly holder: string | null
}

/** A place as it is written down: plain JSON. */
export function toPlain({ upTo, open, holder }: OrderedPlace): object {
  const list = [...open].map(([sequence, { deliveries, firstAt }]) => [sequence, deliveries, firstAt])
  return { holder, upTo, open: list }
}

/** Reads what {@link toPlain} made. Undefined for what is no place. */
export function toPlace(value: unknown): OrderedPlace | undefined {
  if (!isMessage(value) || !isCount(value.upTo) || !Array.isArray(value.open)) return undefined
  const open = new Map<number, Open>()
  for (const entry of value.open as readonly unknown[]) {
    if (!Array.isArray(entry) || !entry.every(isCount)) return undefined
    const [sequence = 0, deliveries = 0, firstAt = 0] = entry as readonly number[]
    open.set(sequence, { deliveries, firstAt })
  }
  return { upTo: value.upTo, open, holder: typeof value.holder === 'string' ? value.holder : null }
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value)
}
