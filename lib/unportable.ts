import { types } from 'node:util'

/** What stands in a place where JSON cannot carry it, and what to write instead. */
export interface Unportable {
  /** With its article, to follow "is": `a Date`. */
  readonly what: string
  /** One sentence. `here` stands for the expression that names the place. */
  readonly cure: (here: string) => string
}

/** Describes a value that {@link portableCopy} refuses, so that whoever reads the error knows what to send instead. */
export function describeUnportable(value: unknown): Unportable {
  if (typeof value === 'object' && value !== null) return describeObject(value)
  if (typeof value === 'bigint') return { what: 'a bigint', cure: (here) => `Send String(${here}).` }
  if (typeof value === 'function') return { what: 'a function', cure: () => 'Leave it out, or send what it returns.' }
  if (typeof value === 'symbol') return { what: 'a symbol', cure: () => 'Send a string.' }
  return { what: String(value), cure: () => 'Send null, or leave it out.' }
}

function describeObject(value: object): Unportable {
  const builtIn = describeBuiltIn(value)
  if (builtIn !== undefined) return builtIn
  if (hasToJson(value)) return { what: 'an object with a toJSON method', cure: (here) => `Send ${here}.toJSON().` }
  const name = classOf(value)
  if (name === undefined) return { what: 'an object with a prototype of its own', cure: sendPlain }
  return { what: `an instance of ${name}`, cure: Array.isArray(value) ? (here) => `Send [...${here}].` : sendPlain }
}

function describeBuiltIn(value: object): Unportable | undefined {
  if (types.isDate(value)) return { what: 'a Date', cure: (here) => `Send ${here}.toISOString().` }
  if (types.isMap(value)) return { what: 'a Map', cure: (here) => `Send Object.fromEntries(${here}).` }
  if (types.isSet(value)) return { what: 'a Set', cure: (here) => `Send [...${here}].` }
  if (types.isRegExp(value)) return { what: 'a RegExp', cure: (here) => `Send ${here}.source.` }
  if (types.isPromise(value)) return { what: 'a Promise', cure: () => 'Await it first.' }
  if (types.isNativeError(value)) return { what: 'an Error', cure: (here) => `Send ${here}.message.` }
  if (types.isBoxedPrimitive(value)) return { what: 'a boxed primitive', cure: (here) => `Send ${here}.valueOf().` }
  if (Buffer.isBuffer(value)) return { what: 'a Buffer', cure: (here) => `Send ${here}.toString('base64').` }
  if (types.isTypedArray(value)) return { what: `a ${classOf(value)}`, cure: (here) => `Send Array.from(${here}).` }
  if (value instanceof URL) return { what: 'a URL', cure: (here) => `Send ${here}.href.` }
  return undefined
}

/** Whether JSON would send what a method gives instead of the object. */
export function hasToJson(value: object): boolean {
  const own = Object.getOwnPropertyDescriptor(value, 'toJSON')
  if (own !== undefined) return typeof own.value === 'function' || own.get !== undefined
  return 'toJSON' in value && typeof value.toJSON === 'function'
}

function classOf(value: object): string | undefined {
  const prototype: unknown = Object.getPrototypeOf(value)
  if (typeof prototype !== 'object' || prototype === null || !Object.hasOwn(prototype, 'constructor')) return undefined
  const type: unknown = prototype.constructor
  return typeof type === 'function' && type.name !== '' ? type.name : undefined
}

function sendPlain(here: string): string {
  return `Send a plain object: { ...${here} }.`
}
