const listening = new WeakMap<AbortSignal, Set<() => void>>()

/**
 * Calls a listener when a signal aborts, until the returned function is called. Any number may listen to one signal: Node
 * warns of a leak from the eleventh on, and one signal may well stand for hundreds of events.
 */
export function onAbort(signal: AbortSignal, listener: () => void): () => void {
  const listeners = listening.get(signal) ?? listenTo(signal)
  listeners.add(listener)
  return () => {
    listeners.delete(listener)
  }
}

function listenTo(signal: AbortSignal): Set<() => void> {
  const listeners = new Set<() => void>()
  listening.set(signal, listeners)
  signal.addEventListener('abort', () => {
    for (const listener of [...listeners]) listener()
  })
  return listeners
}

/** Waits, at most until the signal aborts. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer)
      forgetSignal?.()
      resolve()
    }
    const timer = setTimeout(end, ms)
    const forgetSignal = signal === undefined ? undefined : onAbort(signal, end)
    if (signal?.aborted) end()
  })
}
