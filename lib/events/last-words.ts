/** What is told to give up may take so many ms to say what kept it. */
const LAST_WORDS_MS = 200

/**
 * Settles as some work does. Once the signal aborts, which ends such work, it has a moment to say why by itself; then this
 * rejects with `otherwise()`, whatever becomes of the work.
 */
export async function withLastWords<T>(signal: AbortSignal, work: Promise<T>, otherwise: () => Error): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  let wait = () => {}
  const over = new Promise<never>((_, reject) => {
    wait = () => {
      timer = setTimeout(() => reject(otherwise()), LAST_WORDS_MS)
    }
    if (signal.aborted) wait()
    else signal.addEventListener('abort', wait, { once: true })
  })
  try {
    return await Promise.race([work, over])
  } finally {
    signal.removeEventListener('abort', wait)
    clearTimeout(timer)
  }
}
