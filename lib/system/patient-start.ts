import { setTimeout as pause } from 'node:timers/promises'
import { LuciliusError } from '../errors.js'
import { wasTooSlow } from '../hook.js'
import type { Logger } from '../logger.js'

/** Milliseconds between two tries. */
const PAUSE_MS = 500

/**
 * Starts again and again while that fails because others are not there yet: a hook asked for what nobody answers, or was
 * still waiting for it when its time was over. Where processes find each other nobody knows when the others come. `isOver`
 * says whether this one is told to end meanwhile.
 */
export async function patiently<T>(start: () => Promise<T>, log: Logger, isOver: () => boolean): Promise<T> {
  for (;;) {
    try {
      return await start()
    } catch (error) {
      if (isOver() || !isEarly(error)) throw error
      log.warn({ err: error }, 'could not start, as somebody it asks is not there yet: trying again')
      await pause(PAUSE_MS)
      if (isOver()) throw error
    }
  }
}

function isEarly(error: unknown): boolean {
  if (!(error instanceof LuciliusError) || error.code !== 'LUC_PLUGIN_FAILED') return false
  const { cause } = error
  return wasTooSlow(cause) || (cause instanceof LuciliusError && cause.code === 'LUC_UNREACHABLE')
}
