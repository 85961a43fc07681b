/** What a test looks at in an error of either class. */
export interface Failure extends Error {
  readonly code: string
  readonly handled?: string
  readonly retryable?: boolean
  readonly details?: unknown
}

/** The error that something ends in. Fails if there is none. */
export async function failureOf(work: Promise<unknown> | (() => unknown)): Promise<Failure> {
  let reply: unknown
  try {
    reply = await (typeof work === 'function' ? work() : work)
  } catch (error) {
    return error as Failure
  }
  throw new Error(`Expected a failure, got ${JSON.stringify(reply)}`)
}
