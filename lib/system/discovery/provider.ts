import type { Logger } from '../../logger.js'

/** One way to find out where the processes of a system listen. */
export interface Provider {
  /** Stands in logs. */
  readonly name: 'dns' | 'etcd' | 'multicast'
  /**
   * Looks for processes, and tells others where this one is, until it is closed. Resolves once it has looked once, or has
   * tried to: what cannot be reached now is tried again, and logged once. Rejects with what no second try changes.
   */
  open(looking: Looking): Promise<void>
  /** Ends it, and takes back what others were told. Never rejects. */
  close(): Promise<void>
}

/** What a provider is asked. */
export interface Looking {
  /** The groups whose processes are looked for. */
  readonly groups: readonly string[]
  /** What others are told of this process. */
  readonly self: Self
  /**
   * Takes the addresses of all processes of a group that are known by now, those of this process among them or not, and
   * those of them of which there is a new sign: they were not known before, or somebody has just said that they are there.
   * Is called at each change and each sign, and may be called when there is neither. Whether a process lives its
   * connection tells, so an address that is missing closes nothing.
   */
  found(group: string, urls: readonly string[], fresh: readonly string[]): void
  readonly log: Logger
}

/** What a process tells others of itself. */
export interface Self {
  /** The name of its group. */
  readonly group: string
  /** Tells it from every other process, of its own group too. */
  readonly instance: string
  /** Where others reach it: `ws://10.0.0.7:7400/ws`. */
  readonly url: string
}
