/** A signal that aborts with another one, and when its time is over. */
export interface TimeLimit {
  readonly signal: AbortSignal
  /** Gives so many milliseconds from now. */
  extend(ms: number): void
  /** Aborts now, and lets go of the other signal and of the timer. */
  abort(): void
}

/** Sets a limit of so many milliseconds. It keeps no process alive; call `abort` once what it is for has ended. */
export function timeLimit(outer: AbortSignal, ms: number): TimeLimit {
  const own = new AbortController()
  const abort = () => {
    clearTimeout(timer)
    outer.removeEventListener('abort', abort)
    own.abort()
  }
  const arm = (wait: number) => setTimeout(abort, wait).unref()
  let timer = arm(ms)
  outer.addEventListener('abort', abort)
  if (outer.aborted) abort()
  return {
    signal: own.signal,
    extend: (wait) => {
      clearTimeout(timer)
      if (!own.signal.aborted) timer = arm(wait)
    },
    abort,
  }
}
