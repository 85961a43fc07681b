import type { DurableSubscription, ServedSubscription, StoreDelivery } from '../../../lib/transport-kit.js'
import { pause } from './on-abort.js'
import { toPlace } from './ordered-place.js'
import { OtherVersions } from './other-versions.js'
import type { Parts } from './parts.js'
import { Records, type Written } from './records.js'
import { type Claim, Tenure } from './tenure.js'
import { type Hint, Vacancy } from './vacancy.js'

const pauseMs = 200

/** A subscription whose events go to one instance at a time, in the order in which they were stored. */
export class OrderedSubscription implements ServedSubscription {
  /** Resolves when it was tried to have it: if it was free, this instance has it, or another one that was faster. */
  readonly begun: Promise<void>
  /** Resolves when it was stopped, and nothing is under way any more. */
  readonly over: Promise<void>
  readonly #parts: Parts
  readonly #subscription: DurableSubscription
  readonly #deliver: (delivery: StoreDelivery) => void
  readonly #gone: () => void
  readonly #subject: string
  readonly #records: Records
  readonly #stopped = new AbortController()
  readonly #others: OtherVersions
  #tenure: Tenure | undefined
  #setBegun: () => void = () => {}

  /** `gone` is called if nothing is written of the subscription any more, after which nothing is delivered. */
  constructor(
    parts: Parts,
    subscription: DurableSubscription,
    deliver: (delivery: StoreDelivery) => void,
    gone: () => void,
  ) {
    this.#parts = parts
    this.#subscription = subscription
    this.#deliver = deliver
    this.#gone = gone
    this.#subject = parts.names.ordered(subscription.name)
    this.#records = new Records(parts.link, parts.names.streams.state)
    this.begun = new Promise((resolve) => {
      this.#setBegun = resolve
    })
    this.#others = new OtherVersions(parts, subscription)
    this.over = this.#run().finally(() => {
      this.#others.close()
      this.#setBegun()
    })
  }

  async stop(): Promise<void> {
    this.#stopped.abort()
    this.#tenure?.stop()
  }

  /** Stops, and leaves at once what is under way to the next holder. */
  async close(): Promise<void> {
    this.#stopped.abort()
    await this.#tenure?.close()
  }

  async #run(): Promise<void> {
    while (!this.#isOver) {
      const claim = await this.#untilFree()
      if (this.#isOver) return
      if (claim === undefined) return this.#gone()
      this.#tenure = new Tenure(this.#parts, this.#subscription, this.#deliver, this.#others, claim)
      await this.#tenure.begun
      this.#setBegun()
      await this.#tenure.over
    }
  }

  get #isOver(): boolean {
    return this.#stopped.signal.aborted || this.#parts.link.isClosed
  }

  /** Resolves with what to claim, or with nothing if there is nothing any more. */
  async #untilFree(): Promise<Claim | undefined> {
    const { link, ackWaitMs } = this.#parts
    const vacancy = new Vacancy(link, this.#subject, ackWaitMs)
    let hint: Hint | undefined
    let seen: number | undefined
    let isLeft = this.#tenure?.isLeft === true
    try {
      while (!this.#isOver) {
        const written = await this.#look()
        const place = toPlace(written?.value)
        if (written === undefined || place === undefined) return undefined
        const isSame = written.sequence === seen
        if (seen !== undefined && !isSame) isLeft = false
        // What this instance has left is for one of another version first.
        const isFree = (place.holder === null && !isLeft) || (hint === 'silence' && isSame)
        if (isFree) return { place, sequence: written.sequence }
        seen = written.sequence
        this.#setBegun()
        hint = await vacancy.wait(this.#stopped.signal)
      }
      return undefined
    } finally {
      vacancy.close()
    }
  }

  async #look(): Promise<Written | undefined> {
    while (!this.#isOver) {
      try {
        await this.#parts.link.whenUp(this.#stopped.signal)
        await this.#others.read()
        return await this.#records.read(this.#subject)
      } catch {
        await pause(pauseMs, this.#stopped.signal)
      }
    }
    return undefined
  }
}
