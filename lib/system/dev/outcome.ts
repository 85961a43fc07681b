/** What went wrong, as a person has to know it. */
export interface Failure {
  /** One line, or one for each problem of a description. */
  readonly message: string
  /** The lines of source around the place, plain text. */
  readonly frame?: string
  /** What runs all the same. */
  readonly instead?: string
}

/** What came of a change of files. */
export interface Outcome {
  /** What runs the new code: services and plugins, or processes. */
  readonly done: readonly string[]
  readonly failures: readonly Failure[]
  /** Why everything has to start anew, if it has to. */
  readonly restart?: string
}

/** Nothing that runs was made of the files. */
export const nothingDone: Outcome = Object.freeze({ done: [], failures: [] })
