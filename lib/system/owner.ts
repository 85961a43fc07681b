import type { Host } from '../host.js'

/** The service or plugin of a description that a plugin belongs to: itself, or the one in whose set-up it is used. */
export function ownerOf(name: string, plugins: ReturnType<Host['plugins']>): string {
  const within = plugins.find((one) => one.name === name)?.within
  return within === undefined || within === name ? name : ownerOf(within, plugins)
}
