import { receiveDirect } from '../direct.js'
import { LuciliusError } from '../errors.js'
import type { HeaderFields } from '../header-fields.js'
import type { ActEnvelope, DirectCall, Observer, Outcome, Receiver } from '../transport.js'
import { toWireError } from '../wire-error.js'
import type { MailLimits } from './limits.js'

/** A clients' door behind a broker: acts that stand alone, whoever sends them. */
export class Desk {
  /** The name of the app. */
  readonly name: string
  readonly #receiver: Receiver
  readonly #observer: Observer
  readonly #most: number
  readonly #running = new Set<ClientCall>()
  /** Acts that run, or of which it is being found out who sent them. */
  #busy = 0
  #waiting: (() => void)[] = []

  constructor(receiver: Receiver, { maxClientActs }: Pick<MailLimits, 'maxClientActs'>) {
    this.#receiver = receiver
    this.#observer = receiver.accept(undefined, {})
    this.#most = maxClientActs
    this.name = this.#observer.tell().name
  }

  /** Whether nothing new is taken: an act that comes now may go to another instance instead. */
  get draining(): boolean {
    return this.#receiver.draining
  }

  /** Answers an act: `reply` is called once. `fields` are what `authenticate` of the app gets as headers. */
  act(envelope: ActEnvelope, fields: HeaderFields, reply: (outcome: Outcome) => void): void {
    if (this.#busy >= this.#most) {
      reply({ error: toWireError(overloaded(this.#most)) })
      return
    }
    this.#busy++
    const answer = (outcome: Outcome) => {
      reply(outcome)
      if (--this.#busy === 0) for (const resolve of this.#waiting.splice(0)) resolve()
    }
    if (this.#receiver.anonymous === true) {
      this.#run(envelope, undefined, answer)
      return
    }
    this.#receiver.authenticate({ headers: fields }).then(
      ({ identity }) => this.#run(envelope, identity, answer),
      (error) => answer({ error: toWireError(refused(error)) }),
    )
  }

  /** Resolves when all acts have been answered. */
  idle(): Promise<void> {
    if (this.#busy === 0) return Promise.resolve()
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  /** Gives up what runs. */
  close(): void {
    for (const call of this.#running) call.onCancel?.()
    this.#observer.lost()
  }

  #run(envelope: ActEnvelope, identity: unknown, answer: (outcome: Outcome) => void): void {
    const call = new ClientCall(identity, (outcome) => {
      this.#running.delete(call)
      answer(outcome)
    })
    this.#running.add(call)
    receiveDirect(this.#observer, envelope, call)
  }
}

/** An act of a client. */
class ClientCall implements DirectCall {
  onCancel: (() => void) | undefined = undefined
  readonly identity: unknown
  readonly settle: (outcome: Outcome) => void

  constructor(identity: unknown, settle: (outcome: Outcome) => void) {
    this.identity = identity
    this.settle = settle
  }

  /** What the answering end is never told. */
  fail(): void {}
}

function overloaded(most: number): LuciliusError {
  return new LuciliusError('LUC_OVERLOADED', `${most} messages of clients run already.`)
}

function refused(error: unknown): LuciliusError {
  if (error instanceof LuciliusError) return error
  return new LuciliusError('LUC_UNAUTHENTICATED', 'Who you are could not be established.')
}
