import type { Message } from '../../message.js'
import type { Watched, Where } from '../../system/dev/known-files.js'
import type { Failure, Outcome } from '../../system/dev/outcome.js'
import type { RecordedSending } from '../../system/recording.js'

/** A door that is open. */
export interface DevDoor {
  readonly transport: string
  readonly url: string
  /** The group or process that it belongs to, where there are several. */
  readonly of?: string
  /** A message that it lets in; undefined if none is to be shown. */
  readonly example?: Message
}

/** What runs. */
export interface DevAbout {
  readonly name: string
  /** Services, or processes. */
  readonly parts: readonly string[]
  readonly doors: readonly DevDoor[]
  /** The control socket, so that it can be removed for one who was killed. */
  readonly socket?: string
}

/** What is to be run. */
export interface Assignment extends Where {
  /** The port of the first door. */
  readonly port?: number
  /** The deployment to run as processes of their own: its name, or true for the first. Absent: all in one process. */
  readonly split?: string | true
  /** Ports that the doors had before, in their order, for those that take a free one. */
  readonly ports: readonly number[]
  readonly color: boolean
  /** What services send is told. */
  readonly record?: boolean
}

/** What the process that runs the system tells the one at the terminal. */
export type DevReport =
  | { readonly type: 'watched'; readonly watched: Watched }
  | { readonly type: 'ready'; readonly about: DevAbout }
  /** It ends because of this. `usage`: it was called wrongly. */
  | { readonly type: 'failed'; readonly failure: Failure; readonly usage?: boolean }
  /** A service sent such a message for the first time. */
  | { readonly type: 'sent'; readonly sending: RecordedSending }
  /** It has begun to work on a change. */
  | { readonly type: 'heard' }
  | { readonly type: 'changed'; readonly outcome: Outcome; readonly doors: readonly DevDoor[] }
  | { readonly type: 'drained'; readonly hung: readonly string[] }

/** What it is told. */
export type DevOrder =
  | { readonly type: 'go'; readonly assignment: Assignment }
  | { readonly type: 'changed'; readonly files: readonly string[] }
  | { readonly type: 'drain' }

/** Puts a message into an envelope: services may use the same channel. */
export function sealed(content: DevReport | DevOrder): object {
  return { luciliusDev: content }
}

/** Takes a message out of its envelope; undefined for what is none of ours. Both ends are of one version. */
export function opened<T extends DevReport | DevOrder>(value: unknown): T | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  return (value as { luciliusDev?: T }).luciliusDev
}
