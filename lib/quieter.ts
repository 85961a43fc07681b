import type { Logger } from './logger.js'

/** The same logger, but that what it tells at some levels is at level `debug`, while it is to be quiet. */
export function quieter(
  logger: Logger,
  levels: readonly ('info' | 'warn')[] = ['info'],
  isQuiet: () => boolean = () => true,
): Logger {
  const telling = (level: 'info' | 'warn') => ({
    value: (...line: [unknown, string?]) => logger[isQuiet() ? 'debug' : level](...line),
  })
  // Made from it, so that what it has beyond our methods stays.
  return Object.create(logger, {
    child: { value: (bindings: Record<string, unknown>) => quieter(logger.child(bindings), levels, isQuiet) },
    ...Object.fromEntries(levels.map((level) => [level, telling(level)])),
  })
}
