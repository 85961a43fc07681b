import { randomBytes } from 'node:crypto'
import type { Msg, Subscription } from '@nats-io/transport-node'
import { type Discovery, decodeJson, type Finding, isMessage, type Transport } from '../../lib/transport-kit.js'
import type { Broker, Lease } from './broker.js'
import { isUndelivered } from './fields.js'
import { type Subjects, subjectsOf } from './subjects.js'
import { subscribe, unsubscribe } from './subscribing.js'
import { toTrouble } from './trouble.js'

/** Milliseconds without another answer after which all have answered that are there; and for the first one. */
const QUIET_MS = 100
const FIRST_MS = 500

/** Milliseconds between two questions who is there, for those of whom nobody had told. */
const AGAIN_MS = 10_000

/** Milliseconds for a lost broker to come back before a search is given up, and started again by the core. */
const BROKER_MS = 5_000

/** Bytes of an answer: an announcement of 10,000 patterns. */
const MOST_BYTES = 16 * 1024 * 1024

/** Finds the listeners of a space. Rejects as the broker does, and with `LUC_FORBIDDEN`. */
export async function discover(
  broker: Broker,
  finding: Finding,
  leadTo: (mailbox: string) => Transport,
): Promise<Discovery> {
  const search = new Search(broker, finding, leadTo)
  try {
    await search.start()
  } catch (error) {
    await search.close()
    throw toTrouble(broker.settings.shown, error)
  }
  return search
}

class Search implements Discovery {
  readonly #broker: Broker
  readonly #finding: Finding
  readonly #leadTo: (mailbox: string) => Transport
  readonly #subjects: Subjects
  readonly #answers: string
  #subscriptions: readonly Subscription[] = []
  #lease: Lease | undefined
  #timer: NodeJS.Timeout | undefined
  /** Called with each answer; null if the server says that there will be none. */
  #onAnswer: ((answer: Msg | null) => void) | undefined

  constructor(broker: Broker, finding: Finding, leadTo: (mailbox: string) => Transport) {
    this.#broker = broker
    this.#finding = finding
    this.#leadTo = leadTo
    this.#subjects = subjectsOf(broker.settings.space)
    this.#answers = this.#subjects.found(`search-${randomBytes(6).toString('hex')}`)
  }

  async start(): Promise<void> {
    const { here, gone } = this.#subjects
    this.#lease = await this.#broker.use({ back: () => this.#ask() })
    await this.#lease.up(BROKER_MS)
    this.#subscriptions = await subscribe(this.#lease, [
      { subject: here, take: (message) => this.#found(message) },
      { subject: gone, take: (message) => this.#gone(message) },
      { subject: this.#answers, take: (message) => this.#takeAnswer(message) },
    ])
    this.#timer = setInterval(() => this.#ask(), AGAIN_MS).unref()
    const found = this.#allAnswers()
    this.#ask()
    await found
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    if (this.#lease === undefined) return
    await unsubscribe(this.#lease, this.#subscriptions)
    await this.#lease.release()
  }

  #ask(): void {
    if (this.#lease?.isUp === true) this.#lease.nats.publish(this.#subjects.ping, '', { reply: this.#answers })
  }

  /** Resolves when all have answered that are there, as far as one can know. */
  #allAnswers(): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer)
        this.#onAnswer = undefined
        resolve()
      }
      let timer = setTimeout(end, FIRST_MS)
      this.#onAnswer = (answer) => {
        if (answer === null) {
          end()
          return
        }
        clearTimeout(timer)
        timer = setTimeout(end, QUIET_MS)
      }
    })
  }

  #takeAnswer(message: Msg): void {
    const nobody = isUndelivered(message)
    if (!nobody) this.#found(message)
    this.#onAnswer?.(nobody ? null : message)
  }

  #found(message: Msg): void {
    const address = readAddress(message, false)
    if (address !== undefined) this.#finding.found(address, this.#leadTo(address))
  }

  #gone(message: Msg): void {
    const address = readAddress(message, true)
    if (address !== undefined) this.#finding.gone(address)
  }
}

/** The mailbox that a message tells of; undefined if it is none of ours. */
function readAddress({ data }: Msg, gone: boolean): string | undefined {
  try {
    const told = decodeJson(data, { maxBytes: MOST_BYTES })
    // It says itself that it is a goodbye: an answer to a question that was asked for others is none.
    const address = isMessage(told) && (told.gone === true) === gone ? told.address : undefined
    return typeof address === 'string' && /^[\w-]{1,100}$/.test(address) ? address : undefined
  } catch {
    return undefined
  }
}
