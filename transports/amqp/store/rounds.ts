/**
 * Makes one run of many calls. Who calls while a run is under way gets the next one, together with all who call meanwhile:
 * a run that had begun before may not know what the caller has done.
 */
export function inRounds<T>(run: () => Promise<T>): () => Promise<T> {
  let current: Promise<T> | undefined
  let next: Promise<T> | undefined
  const begin = (): Promise<T> => {
    current = run().finally(() => {
      current = undefined
    })
    return current
  }
  return () => {
    if (current === undefined) return begin()
    next ??= current
      .catch(() => {})
      .then(() => {
        next = undefined
        return begin()
      })
    return next
  }
}
