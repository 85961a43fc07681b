import { isEvery } from './host-names.js'

/** Where something listens. */
interface Spot {
  readonly host: string
  readonly port: number
}

/** Whether two listeners of one machine cannot both be opened: one port, and hosts that are the same or all there are. */
export function clashes(one: Spot, other: Spot): boolean {
  if (one.port === 0 || one.port !== other.port) return false
  return one.host === other.host || isEvery(one.host) || isEvery(other.host)
}
