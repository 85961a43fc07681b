/** Milliseconds in which a second signal of the same kind is the same one: a terminal sends Ctrl-C to all, and npm passes it on. */
const SAME_MS = 250

/** Signals that ask a process to end. */
export type EndSignal = 'SIGINT' | 'SIGTERM'

/**
 * Hears of the signals that ask this process to end: `first` is to end in order, `second`, another one or the same from 250 ms
 * later on, at once. Returns what stops it.
 */
export function onEndSignals(first: (signal: EndSignal) => void, second: (signal: EndSignal) => void): () => void {
  let began: { readonly by: EndSignal; readonly at: number } | undefined
  const hear = (signal: EndSignal) => {
    const now = performance.now()
    if (began === undefined) {
      began = { by: signal, at: now }
      first(signal)
    } else if (signal !== began.by || now - began.at >= SAME_MS) second(signal)
  }
  process.on('SIGINT', hear).on('SIGTERM', hear)
  return () => void process.off('SIGINT', hear).off('SIGTERM', hear)
}
