import type { Logger } from '../logger.js'
import { type EndSignal, onEndSignals } from './supervise/end-signals.js'

/** Waits for what ends a process. */
export interface ProcessEnd {
  /** Resolves with the first reason, for people: `SIGTERM`, or what was not caught. Never rejects. */
  readonly asked: Promise<string>
  /** What it exits with if it drains in order: 1 once something was not caught, be it during the drain. */
  readonly code: 0 | 1
  /** Lets go of the signals and errors of this process. */
  dispose(): void
}

/** 24 days: a timer of Node that is set to more fires at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

/** What a shell sees of a process that a signal ended: 128 and its number. */
const exitCodeOf: { readonly [signal in EndSignal]: number } = { SIGINT: 130, SIGTERM: 143 }

/**
 * Takes over the signals and the uncaught errors of this process. The first signal asks it to end, a second one ends it
 * at once; an uncaught error is logged as fatal and asks it to end with 1.
 */
export function processEnd(log: Logger): ProcessEnd {
  let code: ProcessEnd['code'] = 0
  let ask: (why: string) => void = () => {}
  const asked = new Promise<string>((resolve) => {
    ask = resolve
  })
  const onError = (error: unknown, origin: string) => {
    code = 1
    log.fatal({ err: error }, `${origin}: this process drains and ends`)
    ask(`${origin}: ${error instanceof Error ? error.message : String(error)}`)
  }
  const onException = (error: unknown) => onError(error, 'uncaught exception')
  const onRejection = (error: unknown) => onError(error, 'unhandled rejection')
  const stop = onEndSignals(ask, (signal) => process.exit(exitCodeOf[signal]))
  process.on('uncaughtException', onException)
  process.on('unhandledRejection', onRejection)
  // Listeners of signals keep no process alive, and one without doors and peers has nothing else that would.
  const alive = setInterval(() => {}, LONGEST_TIMER_MS)
  return {
    asked,
    get code() {
      return code
    },
    dispose: () => {
      stop()
      clearInterval(alive)
      process.off('uncaughtException', onException)
      process.off('unhandledRejection', onRejection)
    },
  }
}
