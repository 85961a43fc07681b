import { LuciliusError } from '../errors.js'

/** The error for something wrong in a description, an option or a variable. */
export function invalid(message: string): LuciliusError {
  return new LuciliusError('LUC_OPTIONS_INVALID', message)
}
