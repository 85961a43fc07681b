/** Milliseconds in which a second signal is the same one: a terminal sends Ctrl-C to all, and npm passes it on. */
const SAME_MS = 250

/** Signals that ask a process to end. */
export type EndSignal = 'SIGINT' | 'SIGTERM'

/**
 * Hears of the signals that ask this process to end: `first` is to end in order, `second`, from 250 ms later on, at once.
 * Returns what stops it.
 */
export function onEndSignals(first: (signal: EndSignal) => void, second: (signal: EndSignal) => void): () => void {
  let firstAt: number | undefined
  const hear = (signal: EndSignal) => {
    const now = performance.now()
    if (firstAt === undefined) {
      firstAt = now
      first(signal)
    } else if (now - firstAt >= SAME_MS) second(signal)
  }
  process.on('SIGINT', hear).on('SIGTERM', hear)
  return () => void process.off('SIGINT', hear).off('SIGTERM', hear)
}
