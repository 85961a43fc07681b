/** A system of processes that are kept running, to be put through chaos. */
export interface Subject<Id extends string = string> {
  readonly ids: readonly Id[]
  /** The process that was last ready under this id. */
  pidOf(id: string): number
  /** Resolves when another process is ready in the place of this one. Rejects if the system ends instead. */
  replaced(id: string, pid: number): Promise<void>
  /** Replaces a process in order, as a new version is brought out: what SIGTERM to it does. */
  roll(id: string): void
  /** Replaces all processes in order, one after the other, where one signal does it. */
  rollAll?(): Promise<void>
  /** Ends all in order. Rejects if a process did not end so. */
  end(): Promise<void>
  /** Ends all at once, if anything is left. */
  kill(): void
}
