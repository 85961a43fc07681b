import type { StoreHost } from '../../../lib/transport-kit.js'
import type { Link } from './link.js'
import type { Names } from './names.js'
import type { Streams } from './streams.js'

/** What an open store is made of, for what works within it. */
export interface Parts {
  readonly link: Link
  readonly names: Names
  readonly streams: Streams
  /** After how many ms without a sign of life what is under way goes to somebody else. */
  readonly ackWaitMs: number
  readonly host: StoreHost
}
