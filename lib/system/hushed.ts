import type { Logger } from '../logger.js'
import { quieter } from '../quieter.js'

/** A logger that can be told to speak. */
export interface Hushed {
  readonly log: Logger
  /** From now on it logs as the one it was made of. */
  speak(): void
}

/** The same logger, but that below an error all is at level `debug`, until it is told to speak. */
export function hushed(logger: Logger): Hushed {
  let isHushed = true
  return {
    log: quieter(logger, ['info', 'warn'], () => isHushed),
    speak: () => {
      isHushed = false
    },
  }
}
