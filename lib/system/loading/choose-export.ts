/** A module's exports by name, without what Node adds to those of CommonJS. */
export type Exports = ReadonlyMap<string, unknown>

/** The exports of a module namespace, or of a plain object that stands for one. */
export function exportsOf(module: object): Exports {
  return new Map(Object.entries(module).filter(([name]) => name !== 'module.exports' && name !== '__esModule'))
}

/**
 * The export that is meant: the default one, one of the given names, or the only one that fits; undefined if there is
 * none, or more than one and none has a given name.
 */
export function chooseExport(exports: Exports, names: readonly string[], fits: (value: unknown) => boolean): unknown {
  for (const name of ['default', ...names]) {
    const value = exports.get(name)
    if (value !== undefined && fits(value)) return value
  }
  const fitting = new Set([...exports.values()].filter(fits))
  return fitting.size === 1 ? fitting.values().next().value : undefined
}

/** Says which exports there are, for a message. */
export function listExports(exports: Exports): string {
  if (exports.size === 0) return 'it exports nothing'
  return `it exports ${[...exports].map(([name, value]) => `${name} (${kindOf(value)})`).join(', ')}`
}

function kindOf(value: unknown): string {
  if (value === null) return 'null'
  if (typeof value === 'function' && isClass(value)) return 'a class'
  return Array.isArray(value) ? 'an array' : typeof value === 'object' ? 'an object' : `a ${typeof value}`
}

/** Whether a function is a class, which cannot be called. */
export function isClass(value: unknown): boolean {
  return typeof value === 'function' && /^class\b/.test(Function.prototype.toString.call(value))
}
