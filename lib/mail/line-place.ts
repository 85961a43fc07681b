import type { MailLimits } from './limits.js'
import type { Lines } from './lines.js'
import type { Post } from './parcel.js'

/** What a line belongs to, and where it leads. */
export interface LinePlace {
  readonly id: string
  readonly to: string
  readonly post: Post
  readonly lines: Lines
  readonly limits: MailLimits
  /** Called when this end has closed the line. */
  closed?(): Promise<void>
}
