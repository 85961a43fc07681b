import type { Logger } from '../logger.js'

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

/** What a shell sees of a process that a signal ended: 128 and its number. */
const signals = { SIGINT: 130, SIGTERM: 143 } as const

/**
 * Takes over the signals and the uncaught errors of this process. The first signal asks it to end, a second one ends it
 * at once; an uncaught error is logged as fatal and asks it to end with 1.
 */
export function processEnd(log: Logger, exit: (code: number) => void = process.exit): ProcessEnd {
  let signalled = false
  let ask: (reason: EndReason) => void = () => {}
  const asked = new Promise<EndReason>((resolve) => {
    ask = resolve
  })
  const onSignal = (signal: keyof typeof signals) => {
    if (signalled) return exit(signals[signal])
    signalled = true
    ask({ why: signal, code: 0 })
  }
  const onError = (error: unknown, origin: string) => {
    log.fatal({ err: error }, `${origin}: this process drains and ends`)
    ask({ why: `${origin}: ${error instanceof Error ? error.message : String(error)}`, code: 1 })
  }
  const onException = (error: unknown) => onError(error, 'uncaught exception')
  const onRejection = (error: unknown) => onError(error, 'unhandled rejection')
  const names = Object.keys(signals) as (keyof typeof signals)[]
  for (const name of names) process.on(name, onSignal)
  process.on('uncaughtException', onException)
  process.on('unhandledRejection', onRejection)
  return {
    asked,
    dispose: () => {
      for (const name of names) process.off(name, onSignal)
      process.off('uncaughtException', onException)
      process.off('unhandledRejection', onRejection)
    },
  }
}
