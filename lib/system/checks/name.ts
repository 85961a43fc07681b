/** What a name of a service, plugin, group or deployment can be. */
export const nameRule =
  "a name has 1 to 100 letters, digits, '.', '_' and '-', does not begin with '.' or '-', and is none that every object has"

/** Tells whether a service, plugin, group or deployment may be called so: names stand in paths, flags and variables. */
export function isName(name: unknown): name is string {
  return typeof name === 'string' && /^[A-Za-z0-9_][\w.-]{0,99}$/.test(name) && !(name in Object.prototype)
}
