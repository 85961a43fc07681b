/**
 * The contract between the core and whatever keeps durable events: a broker, or a store on the disk of one process.
 *
 * The core decides what is delivered to whom, how often and when again; a store keeps, hands out and remembers.
 */
import type { Message } from './message.js'
import type { WireMeta } from './transport.js'

/** An event as it is kept. Plain JSON. */
export interface StoredEvent {
  /** Unique. A second one of the same id within the store's window is the same event, and is not kept again. */
  readonly id: string
  /** When it was emitted: ms since the epoch by the emitter's clock. */
  readonly at: number
  /** The canonical text of the pattern under which it was declared. */
  readonly declared: string
  /** What is emitted, the pattern's pairs in it. */
  readonly message: Message
  /** What travels beside it, without a deadline. */
  readonly meta: Pick<WireMeta, 'traceparent' | 'hops' | 'identity'>
  /** What it is about, as text: the last event of a key is the one that `retain` keeps. `''` if no key was declared. */
  readonly key: string
  /** The last one of its declaration and key is kept for new subscriptions. */
  readonly retain: boolean
  /** Durable subscriptions get it. False for an event that is only retained. */
  readonly durable: boolean
}

/** Why a delivery was not acknowledged. Plain JSON. */
export interface Failure {
  /** ms since the epoch. */
  readonly at: number
  /** Which attempt it was, from 1. */
  readonly attempt: number
  /** The code of the error, where it had one. */
  readonly code?: string
  /** Its message, at most 2,000 characters. */
  readonly message: string
  /** The instance in which the handler ran. */
  readonly instance: string
}

/** A subscription that a store knows by name, whether anybody runs it or not. */
export interface DurableSubscription {
  /** Unique in the store: `<service>.<durable>`. Letters, digits, `-`, `_` and `.`, at most 100 characters. */
  readonly name: string
  /** Canonical text. May have changed since the last start. */
  readonly pattern: string
  /** Tells whether it observes an event: the one rule of matching, so a store need not have another. */
  readonly matches: (message: Message) => boolean
  /**
   * In order: delivered in the order in which events were stored, to one instance at a time. The core runs what is of one
   * key one after the other and never answers `again`, but keeps what failed until it has an end.
   */
  readonly ordered: boolean
  /** How many deliveries may be under way in this instance. */
  readonly concurrency: number
}

/** What becomes of a delivery. */
export type Verdict =
  | {
      /** The handler succeeded. */
      readonly kind: 'done'
    }
  | {
      /** Deliver it again, to whichever instance; the store keeps the history. */
      readonly kind: 'again'
      /** After so many milliseconds. */
      readonly afterMs: number
      /** What failed this time. */
      readonly failure: Failure
    }
  | {
      /** It goes to the dead letters. */
      readonly kind: 'dead'
      /** All attempts that failed, oldest first. */
      readonly failures: readonly Failure[]
    }
  | {
      /**
       * This instance closes before it was handled: deliver it to another one at once. It does not count as an attempt
       * where the store can help it.
       */
      readonly kind: 'back'
    }

/** An event on its way to one subscription. */
export interface StoreDelivery {
  /** What was stored. */
  readonly event: StoredEvent
  /** How often it was delivered to this subscription, this time included. */
  readonly attempt: number
  /** When it was first delivered, if the store knows, else when it was stored: ms since the epoch. */
  readonly firstAt: number
  /** What failed before, oldest first, as far as the store was told. */
  readonly failures: readonly Failure[]
  /** Still at work: the store must not deliver it to anybody else for now. Called every second while the handler runs. */
  extend(): void
  /**
   * Ends it, once. Resolves when the store has it in writing, or it is known that it cannot have (a lost acknowledgement: it
   * is tried again until the store would have delivered it anew). Never rejects.
   */
  end(verdict: Verdict): Promise<void>
}

/** A subscription that this instance serves. */
export interface ServedSubscription {
  /** Takes no more; what is under way may still be ended. Resolves when nothing new will be delivered. */
  stop(): Promise<void>
}

/** A dead letter, as plain JSON. */
export interface DeadLetter {
  /** Unique in the store. */
  readonly id: string
  /** The name of the subscription that failed. */
  readonly subscription: string
  /** What it failed at. */
  readonly event: StoredEvent
  /** When it died, ms since the epoch. */
  readonly at: number
  /** All attempts that failed, oldest first. */
  readonly failures: readonly Failure[]
}

/** What a store tells of one subscription, as plain JSON. */
export interface SubscriptionReport {
  /** `<service>.<durable>`. */
  readonly name: string
  /** Canonical text. */
  readonly pattern: string
  /** Its events are kept in order. */
  readonly ordered: boolean
  /** Events that have yet to be handled, those under way and those waiting for another attempt included. */
  readonly waiting: number
  /** Those of them that are under way somewhere. */
  readonly running: number
  /** Dead letters. */
  readonly dead: number
}

/** What a store tells of itself, as plain JSON. */
export interface StoreReport {
  /** Where it is, without credentials: `jetstream nats://127.0.0.1:4222/lucilius`, `embedded /path`. */
  readonly store: string
  /** Events kept. */
  readonly events: number
  /** Their bytes, where the store knows. */
  readonly bytes?: number
  /** When the oldest of them was emitted. */
  readonly oldestAt?: number
  /** Values kept by `retain`. */
  readonly retained: number
  /** Those that it knows, by name. */
  readonly subscriptions: readonly SubscriptionReport[]
}

/** What operators ask of a store. Reads nothing twice and changes nothing unless it says so. */
export interface StoreAdmin {
  /** What there is. */
  report(): Promise<StoreReport>
  /** Dead letters, oldest first: of one subscription if named, at most `limit`, those after a certain one if given. */
  deadLetters(wish: {
    readonly subscription?: string
    readonly limit: number
    readonly after?: string
  }): Promise<readonly DeadLetter[]>
  /** One of them; undefined if there is none of this id. */
  deadLetter(id: string): Promise<DeadLetter | undefined>
  /** Delivers a dead letter again, to its subscription, with attempts counted anew. False if there is none of this id. */
  replay(id: string): Promise<boolean>
  /** Forgets a dead letter. False if there is none of this id. */
  drop(id: string): Promise<boolean>
  /** Forgets a subscription with everything that waits for it. False if there is none of this name. */
  removeSubscription(name: string): Promise<boolean>
}

/** A store that is open. */
export interface OpenStore {
  /**
   * Keeps an event: resolves once it is stored, so that no crash of a process loses it. Tries again until `signal` aborts
   * where trying again may help (the id makes that safe). Rejects with `LUC_STORE_FAILED` (`handled: 'unknown'`, or `'no'`
   * where it was certainly not stored) and `LUC_TOO_LARGE`.
   */
  append(event: StoredEvent, signal: AbortSignal): Promise<void>
  /**
   * Makes a subscription known, once and for ever, without serving it: what is stored from now on waits for it. The core
   * calls it before the services of an app have started; harmless for one that is known, whose pattern it brings up to date.
   */
  know(subscription: DurableSubscription): Promise<void>
  /**
   * Makes a subscription known, once and for ever, and serves it from this instance: each event that was stored since it
   * became known, and that it matches, is delivered until it is ended. Resolves once it is known: what is stored after
   * that will be delivered. Several instances may serve one subscription; each event goes to one of them.
   */
  serve(subscription: DurableSubscription, deliver: (delivery: StoreDelivery) => void): Promise<ServedSubscription>
  /** The retained events, in the order in which they were stored, that `matches` lets through. */
  retained(matches: (message: Message) => boolean): Promise<readonly StoredEvent[]>
  /** For operators. */
  readonly admin: StoreAdmin
  /** Closes it. Deliveries that were not ended go to others. */
  close(): Promise<void>
}

/** What the core gives a store. */
export interface StoreHost {
  /** The name of the app. */
  readonly name: string
  /** The id of this one process of it. */
  readonly instance: string
  /** The store tells what it met that nobody else would hear of: a broker lost and found again. */
  log(level: 'debug' | 'info' | 'warn' | 'error', facts: object, text: string): void
  /** Aborts when the store need not be waited for any more while it opens. */
  readonly signal: AbortSignal
}

/** Something that keeps durable events: what `lucilius({ store })` takes. A transport may be one. */
export interface EventStore {
  /** Stands in logs and messages. */
  readonly name: string
  /** Opens it: keeps trying while the broker cannot be reached, until the signal aborts. Rejects with `LUC_STORE_FAILED`. */
  openStore(host: StoreHost): Promise<OpenStore>
  /**
   * Whether certainly nothing is kept there yet, where that can be told without opening it: an app that could only read
   * from it then leaves it closed.
   */
  isEmpty?(): Promise<boolean>
}

/** For how long a second event of the same id is taken for the first one, in ms, unless a store is told otherwise. */
export const DUPLICATES_MS = 120_000
