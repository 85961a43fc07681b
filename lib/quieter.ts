import type { Logger } from './logger.js'

/** The same logger, but that what it tells at level `info` is at level `debug`. */
export function quieter(logger: Logger): Logger {
  // Made from it, so that what it has beyond our methods stays.
  return Object.create(logger, {
    child: { value: (bindings: Record<string, unknown>) => quieter(logger.child(bindings)) },
    info: { value: (...line: [unknown, string?]) => logger.debug(...line) },
  })
}
