import type { App } from '../app.js'

/** One transport by which a process meets the others of its system. */
export interface Way {
  /** Where peers reach this process over it, once it listens. */
  readonly url: string | undefined
  /** The groups that are looked for over it, and of which nobody was met so far. */
  readonly unmet?: readonly string[]
  /** Makes sure that it can be used, for as long as that takes: whatever `open` does then is done soon. */
  reach?(): Promise<void>
  /** Listens for the others, and looks for them without waiting for any. */
  open(app: App): Promise<void>
  /** Resolves when the others have been met once, or the process is closed. */
  known(): Promise<void>
  /** The process is closed: nobody is waited for. Resolves when others have been told so, where they are. */
  end(): Promise<void>
}
