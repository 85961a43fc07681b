import { didYouMean } from './did-you-mean.js'
import { LuciliusError } from './errors.js'

/**
 * Checks that an argument is an object with known keys only. Must-ignore is for messages: an option with a typing error
 * would otherwise be silently without effect. Throws `LUC_OPTIONS_INVALID` naming the key and the nearest known one.
 */
export function checkKeys<T extends object>(where: string, options: unknown, known: readonly string[]): T {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new LuciliusError('LUC_OPTIONS_INVALID', `${where}: options are an object with ${known.join(', ')}.`)
  }
  for (const key of Object.keys(options)) {
    if (known.includes(key)) continue
    throw new LuciliusError('LUC_OPTIONS_INVALID', `${where}: there is no option '${key}': ${didYouMean(key, known)}`)
  }
  return options as T
}

/** Checks a duration. Throws `LUC_OPTIONS_INVALID`. */
export function checkMilliseconds(where: string, key: string, value: unknown): asserts value is number {
  if (typeof value === 'number' && Number.isFinite(value) && value > 0) return
  throw new LuciliusError(
    'LUC_OPTIONS_INVALID',
    `${where}: '${key}' is a number of milliseconds above 0, not ${nameOf(value)}.`,
  )
}

/** Checks a count. Throws `LUC_OPTIONS_INVALID`. */
export function checkCount(where: string, key: string, value: unknown, least: number): asserts value is number {
  if (Number.isSafeInteger(value) && (value as number) >= least) return
  throw new LuciliusError(
    'LUC_OPTIONS_INVALID',
    `${where}: '${key}' is a whole number of at least ${least}, not ${nameOf(value)}.`,
  )
}

function nameOf(value: unknown): string {
  if (typeof value === 'string') return `'${value}'`
  return typeof value === 'object' && value !== null ? 'an object' : String(value)
}
