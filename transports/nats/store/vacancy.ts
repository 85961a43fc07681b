import type { Subscription } from '@nats-io/transport-node'
import type { Link } from './link.js'
import { onAbort } from './on-abort.js'

/** Why to look whether an ordered subscription is free: somebody says so, or its holder has said nothing for too long. */
export type Hint = 'told' | 'silence'

/**
 * Listens to what the holder of an ordered subscription writes. While there is no connection nobody can be heard, so the
 * silence begins anew with the next one.
 */
export class Vacancy {
  readonly #link: Link
  readonly #silentMs: number
  readonly #subscription: Subscription
  readonly #unfollow: () => void
  #timer: ReturnType<typeof setTimeout> | undefined
  #hint: Hint | undefined
  #wake: (() => void) | undefined

  /** `subject` is where the holder writes, `silentMs` how long it may say nothing. */
  constructor(link: Link, subject: string, silentMs: number) {
    this.#link = link
    this.#silentMs = silentMs
    this.#unfollow = link.follow({ lost: () => clearTimeout(this.#timer), back: () => this.#begin() })
    this.#subscription = link.nats.subscribe(subject, {
      callback: (error, message) => {
        if (error === null && message.string().startsWith('{"holder":null')) this.#tell('told')
        else this.#begin()
      },
    })
    this.#begin()
  }

  /** Resolves when there is reason to look, or the signal aborts. What was heard before counts. */
  async wait(signal: AbortSignal): Promise<Hint | undefined> {
    if (this.#hint === undefined && !signal.aborted) {
      let forgetSignal = () => {}
      await new Promise<void>((resolve) => {
        this.#wake = resolve
        forgetSignal = onAbort(signal, resolve)
      })
      forgetSignal()
    }
    const hint = this.#hint
    this.#hint = undefined
    this.#begin()
    return hint
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#unfollow()
    this.#subscription.unsubscribe()
  }

  #begin(): void {
    clearTimeout(this.#timer)
    if (this.#link.isUp) this.#timer = setTimeout(() => this.#tell('silence'), this.#silentMs)
  }

  #tell(hint: Hint): void {
    this.#hint = hint
    this.#wake?.()
  }
}
