/** A plugin, and the one in whose set-up it is used: undefined for one that stands by itself. */
export interface Nested {
  readonly name: string
  readonly within: string | undefined
}

/** The service or plugin of a description that a plugin belongs to: itself, or the one in whose set-up it is used. */
export function ownerOf(name: string, plugins: readonly Nested[]): string {
  const within = plugins.find((one) => one.name === name)?.within
  return within === undefined || within === name ? name : ownerOf(within, plugins)
}
