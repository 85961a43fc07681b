let last = 0

/** An address that no other transport of this process has. */
export function newUrl(): string {
  return `in-process:${++last}`
}
