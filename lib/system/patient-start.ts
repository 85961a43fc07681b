import { setTimeout as pause } from 'node:timers/promises'
import { LuciliusError } from '../errors.js'
import { wasTooSlow } from '../hook.js'
import type { Logger } from '../logger.js'
import { type Hushed, hushed } from './hushed.js'

/** Milliseconds between two tries. */
const PAUSE_MS = 500

/** Milliseconds after which it is told once more that it waits. */
const REMIND_MS = 60_000

/** What one try is given. */
export interface Try {
  /** Where it logs to: a second one tells nobody what the first one has told. */
  readonly log: Logger
  /** Takes the groups of which it has met nobody, where it fails. */
  onUnmet(groups: readonly string[]): void
}

/**
 * Starts again and again while that fails because others are not there yet: a hook asked for what nobody answers, or was
 * still waiting for it when its time was over. Where processes find each other nobody knows when the others come. What it
 * waits for is told at first, once a minute, and when it is there. `isOver` says whether this one is told to end meanwhile.
 */
export async function patiently<T>(start: (one: Try) => Promise<T>, log: Logger, isOver: () => boolean): Promise<T> {
  const wait = new Wait(log)
  for (;;) {
    try {
      const started = await start(wait)
      wait.over()
      return started
    } catch (error) {
      if (isOver() || !isEarly(error)) throw error
      wait.goOn(error)
      await pause(PAUSE_MS)
      if (isOver()) throw error
    }
  }
}

/** What is told of a wait. */
class Wait implements Try {
  readonly #log: Logger
  readonly #began = performance.now()
  #toldAt: number | undefined
  /** What the tries after the first one log to. */
  #later: Hushed | undefined
  #unmet: readonly string[] = []

  constructor(log: Logger) {
    this.#log = log
  }

  get log(): Logger {
    return this.#later?.log ?? this.#log
  }

  onUnmet(groups: readonly string[]): void {
    this.#unmet = groups
  }

  /** A try has failed. */
  goOn(error: LuciliusError): void {
    this.#log.debug({ err: error }, 'this try to start has failed')
    this.#later ??= hushed(this.#log)
    const now = performance.now()
    if (this.#toldAt !== undefined && now - this.#toldAt < REMIND_MS) return
    const isFirst = this.#toldAt === undefined
    this.#toldAt = now
    const facts = { ...(this.#unmet.length === 0 ? {} : { groups: this.#unmet }), why: whyOf(error) }
    const when = isFirst ? 'not there yet' : 'still not there'
    this.#log.warn(facts, `could not start, as somebody it asks is ${when}: trying again`)
  }

  /** A try has succeeded. */
  over(): void {
    if (this.#later === undefined) return
    this.#later.speak()
    const waitedMs = Math.round(performance.now() - this.#began)
    this.#log.info({ waitedMs }, 'could start now: whom it asked is there')
  }
}

function isEarly(error: unknown): error is LuciliusError {
  if (!(error instanceof LuciliusError) || error.code !== 'LUC_PLUGIN_FAILED') return false
  const { cause } = error
  return wasTooSlow(cause) || (cause instanceof LuciliusError && cause.code === 'LUC_UNREACHABLE')
}

/** Which plugin waits, and what for. What else the message says of a slow hook is no advice here: it is to wait. */
function whyOf({ message }: LuciliusError): string {
  return message.replace(/\. Set-up only registers.*$/s, '')
}
