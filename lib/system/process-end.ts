import type { Logger } from '../logger.js'
import { type EndSignal, onEndSignals } from './supervise/end-signals.js'

/** Why a process is to end. */
export interface EndReason {
  /** For people: `SIGTERM`, or what was not caught. */
  readonly why: string
  /** What it exits with if it drains in order. */
  readonly code: 0 | 1
}

/** Waits for what ends a process. */
export interface ProcessEnd {
  /** Resolves with the first reason; never rejects. */
  readonly asked: Promise<EndReason>
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
  let ask: (reason: EndReason) => void = () => {}
  const asked = new Promise<EndReason>((resolve) => {
    ask = resolve
  })
  const onError = (error: unknown, origin: string) => {
    log.fatal({ err: error }, `${origin}: this process drains and ends`)
    ask({ why: `${origin}: ${error instanceof Error ? error.message : String(error)}`, code: 1 })
  }
  const onException = (error: unknown) => onError(error, 'uncaught exception')
  const onRejection = (error: unknown) => onError(error, 'unhandled rejection')
  const stop = onEndSignals(
    (signal) => ask({ why: signal, code: 0 }),
    (signal) => process.exit(exitCodeOf[signal]),
  )
  process.on('uncaughtException', onException)
  process.on('unhandledRejection', onRejection)
  // Listeners of signals keep no process alive, and one without doors and peers has nothing else that would.
  const alive = setInterval(() => {}, LONGEST_TIMER_MS)
  return {
    asked,
    dispose: () => {
      stop()
      clearInterval(alive)
      process.off('uncaughtException', onException)
      process.off('unhandledRejection', onRejection)
    },
  }
}
