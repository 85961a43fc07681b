import { LuciliusError } from '../errors.js'
import type { ActOptions, EmitOptions } from '../handler.js'
import { checkKeys, checkMilliseconds } from '../option-checks.js'
import { portableCopy } from '../portable.js'

const KNOWN = ['timeoutMs', 'signal', 'exact', 'identity']

/** Checks the third argument of `act`. Throws `LUC_OPTIONS_INVALID`; the identity is frozen, for it travels. */
export function toActOptions(options: unknown): ActOptions {
  const given = checkKeys<ActOptions>('act', options, KNOWN)
  if (given.timeoutMs !== undefined) checkMilliseconds('act', 'timeoutMs', given.timeoutMs)
  if (given.signal !== undefined && !(given.signal instanceof AbortSignal)) {
    throw new LuciliusError('LUC_OPTIONS_INVALID', "act: 'signal' is not an AbortSignal: give controller.signal.")
  }
  if (given.exact !== undefined && typeof given.exact !== 'boolean') {
    throw new LuciliusError('LUC_OPTIONS_INVALID', "act: 'exact' is true or false.")
  }
  return given.identity === undefined ? given : { ...given, identity: portableCopy(given.identity, 'message') }
}

/** An id travels in headers of brokers. */
const ID = /^[!-~]{1,200}$/

/** Checks the third argument of `emit`. Throws `LUC_OPTIONS_INVALID`. */
export function toEmitOptions(options: unknown): EmitOptions {
  const given = checkKeys<EmitOptions>('emit', options, ['id', 'identity'])
  if (given.id !== undefined && !(typeof given.id === 'string' && ID.test(given.id))) {
    throw new LuciliusError('LUC_OPTIONS_INVALID', "emit: 'id' is a text of 1 to 200 ASCII characters without spaces.")
  }
  return given.identity === undefined ? given : { ...given, identity: portableCopy(given.identity, 'message') }
}
