/** What a pattern value, and a property that takes part in matching, can be. Numbers are finite. */
export type Scalar = string | number | boolean

/** A plain JSON object that is sent. */
export type Message = { readonly [key: string]: unknown }

/**
 * Tells whether a value is a plain object: not null, no array, no class instance.
 *
 * The prototype is `null` or an `Object.prototype`, also that of another realm. Never throws, not even for a revoked
 * Proxy.
 */
export function isMessage(value: unknown): value is Message {
  if (typeof value !== 'object' || value === null) return false
  try {
    const prototype: unknown = Object.getPrototypeOf(value)
    return prototype === Object.prototype || prototype === null || isForeignObjectPrototype(prototype as object)
  } catch {
    return false // a Proxy whose trap throws is nobody's message
  }
}

/** Another realm's `Object.prototype`: the end of its chain, and the place where `hasOwnProperty` comes from. */
function isForeignObjectPrototype(prototype: object): boolean {
  return Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, 'hasOwnProperty')
}
