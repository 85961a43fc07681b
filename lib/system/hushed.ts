import type { Logger } from '../logger.js'

/** A logger that can be told to speak. */
export interface Hushed {
  readonly log: Logger
  /** From now on it logs as the one it was made of. */
  speak(): void
}

/** The same logger, but that below an error all is at level `debug`, until it is told to speak. */
export function hushed(logger: Logger): Hushed {
  let isHushed = true
  const quieten = (one: Logger): Logger =>
    // Made from it, so that what it has beyond our methods stays.
    Object.create(one, {
      child: { value: (bindings: Record<string, unknown>) => quieten(one.child(bindings)) },
      info: { value: (...line: [unknown, string?]) => one[isHushed ? 'debug' : 'info'](...line) },
      warn: { value: (...line: [unknown, string?]) => one[isHushed ? 'debug' : 'warn'](...line) },
    })
  return {
    log: quieten(logger),
    speak: () => {
      isHushed = false
    },
  }
}
