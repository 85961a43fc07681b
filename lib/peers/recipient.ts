import { carryDirect } from '../direct.js'
import type { Logger } from '../logger.js'
import type { Message } from '../message.js'
import type { DirectCall, EventEnvelope } from '../transport.js'
import type { Peer } from './peer.js'

/** A peer that observes events. It stands for every event on its way: nobody asks which of them failed. */
export class Recipient implements DirectCall {
  readonly peer: Peer
  readonly instance: string
  onCancel: (() => void) | undefined = undefined
  readonly #log: Logger

  constructor(peer: Peer, log: Logger) {
    this.peer = peer
    this.instance = peer.info.instance
    this.#log = log
  }

  /** Whether it is there, and may see such an event. */
  isReachedBy(message: Message): boolean {
    return this.peer.reachable && this.peer.terms.exposure.eventOut(message)
  }

  /** Hands an event over, at most once: whether it arrived is not known, and not asked. */
  hand(event: EventEnvelope): void {
    const { connection } = this.peer
    if (connection !== undefined) carryDirect(connection, event, this)
  }

  settle(): void {}

  fail(error: unknown): void {
    this.#log.warn({ err: error, peer: this.peer.info.name }, 'an event could not be handed to a peer')
  }
}
