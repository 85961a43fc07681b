/** Waits until a condition holds, for at most so many milliseconds: for what is told across a transport in its own time. */
export async function eventually(holds: () => boolean, limitMs = 5000): Promise<void> {
  const end = performance.now() + limitMs
  while (!holds()) {
    if (performance.now() > end) throw new Error(`Did not come true within ${limitMs} ms: ${holds}`)
    await new Promise((resolve) => setImmediate(resolve))
  }
}

/** A promise to be settled from outside. */
export function gate<T = void>(): { readonly opened: Promise<T>; open(value: T): void } {
  let open: (value: T) => void = () => {}
  const opened = new Promise<T>((resolve) => {
    open = resolve
  })
  return { opened, open }
}
