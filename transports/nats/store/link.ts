import { JetStreamApiError, type JetStreamManager, jetstreamManager } from '@nats-io/jetstream'
import { createInbox, type Msg, type NatsConnection, PermissionViolationError } from '@nats-io/transport-node'
import { LuciliusError, type StoreHost } from '../../../lib/transport-kit.js'
import { Asking, type Question } from './asking.js'
import { onAbort, pause } from './on-abort.js'
import { Refused, refusals, Unanswered } from './unanswered.js'

/** What the store needs of the connection that it shares with whatever else uses the transport. */
export interface StoreBroker {
  /** Where it is, without credentials. */
  readonly settings: { readonly shown: string }
  /** Opens the connection, or shares it. Rejects with `LUC_UNREACHABLE`, and with what trying again cannot help. */
  use(user: BrokerUser): Promise<BrokerLease>
}

/** What a share of the connection is told. */
export interface BrokerUser {
  lost?(): void
  back?(): void
  /** The server does not permit to publish there. */
  forbidden?(subject: string): void
}

/** A share of a connection that comes back by itself whenever it is lost. */
export interface BrokerLease {
  readonly nats: NatsConnection
  readonly isUp: boolean
  /** Gives it back. */
  release(): Promise<void>
}

/** What wants to know how the connection fares. */
export interface Follower {
  lost?(): void
  back?(): void
}

type Body = { readonly [key: string]: unknown }

const againMs = { least: 100, most: 1_000 }

/** The connection to the broker, as a store needs it: questions that have answers, and who follows its fate. */
export class Link {
  /** For streams and consumers. Only by {@link Link.manage}. */
  readonly #manager: JetStreamManager
  readonly #lease: BrokerLease
  readonly #asking: Asking
  readonly #inboxes: string
  readonly #followers = new Set<Follower>()
  readonly #waiting = new Set<() => void>()
  #isUp: boolean
  #isClosed = false

  private constructor(lease: BrokerLease, manager: JetStreamManager, space: string) {
    this.#lease = lease
    this.#manager = manager
    this.#inboxes = `lucilius.${space}.inbox`
    this.#asking = new Asking(lease.nats, this.inbox())
    this.#isUp = lease.isUp
    void lease.nats.closed().then(() => this.#end())
  }

  /** Opens it: tries again until the host's signal aborts. Rejects with `LUC_STORE_FAILED`. */
  static async open(broker: StoreBroker, space: string, host: StoreHost): Promise<Link> {
    const user: BrokerUser = {}
    const lease = await untilReached(broker, host, user)
    try {
      const link = new Link(lease, await jetstreamManager(lease.nats, { checkAPI: false }), space)
      user.lost = () => link.#lost()
      user.back = () => link.#back()
      user.forbidden = (subject) => link.#asking.forbidden(subject)
      return link
    } catch (error) {
      await lease.release()
      throw error
    }
  }

  get isUp(): boolean {
    return this.#isUp
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  get nats(): NatsConnection {
    return this.#lease.nats
  }

  /** A subject of our own, unlike any other, where answers may be sent. */
  inbox(): string {
    return createInbox(this.#inboxes)
  }

  /** A server before 2.10, some of whose errors we know. */
  get isOldServer(): boolean {
    const [major = 0, minor = 0] = (this.#lease.nats.info?.version ?? '').split('.').map(Number)
    return major < 2 || (major === 2 && minor < 10)
  }

  /** The most bytes that a message and its headers may have. */
  get maxPayload(): number {
    return this.#lease.nats.info?.max_payload ?? 1024 * 1024
  }

  /** Follows the connection, until the returned function is called. */
  follow(follower: Follower): () => void {
    this.#followers.add(follower)
    return () => this.#followers.delete(follower)
  }

  /** Resolves when there is a connection. Rejects with {@link Unanswered} if the signal aborts before, or it is closed. */
  async whenUp(signal?: AbortSignal): Promise<void> {
    while (!this.#isUp && !this.#isClosed && !signal?.aborted) {
      await new Promise<void>((resolve) => {
        const wake = () => {
          forgetSignal?.()
          this.#waiting.delete(wake)
          resolve()
        }
        const forgetSignal = signal === undefined ? undefined : onAbort(signal, wake)
        this.#waiting.add(wake)
      })
    }
    if (this.#isClosed) throw new Unanswered('closed', 'JetStream')
    if (signal?.aborted) throw new Unanswered('given-up', 'JetStream')
  }

  /** Asks once. Rejects with {@link Unanswered}. */
  ask(subject: string, text: string | Uint8Array, question?: Question): Promise<Msg> {
    if (this.#isUp) return this.#asking.ask(subject, text, question)
    return Promise.reject(new Unanswered(this.#isClosed ? 'closed' : 'lost', subject))
  }

  /** Asks JetStream once. Rejects with {@link Unanswered} and {@link Refused}. */
  async askApi(subject: string, text: string | Uint8Array, question?: Question): Promise<Body> {
    const answer = await this.ask(subject, text, question)
    const body = answer.json<Body & { readonly error?: { code: number; err_code: number; description: string } }>()
    if (body.error === undefined) return body
    const { code, err_code, description } = body.error
    throw new Refused({ status: code, code: err_code, message: description })
  }

  /** Says something to the broker, if there is a connection. Never throws. */
  say(subject: string, text: string, reply?: string): void {
    if (!this.#isUp) return
    try {
      this.#lease.nats.publish(subject, text, reply === undefined ? undefined : { reply })
    } catch {
      // The connection was closed just now: its followers are about to be told.
    }
  }

  /** Looks after streams and consumers, once. Rejects with {@link Unanswered} and {@link Refused}. */
  async manage<T>(what: string, work: (manager: JetStreamManager) => Promise<T>): Promise<T> {
    if (!this.#isUp) throw new Unanswered(this.#isClosed ? 'closed' : 'lost', what)
    let end = () => {}
    const lost = new Promise<never>((_, reject) => {
      end = this.follow({ lost: () => reject(new Unanswered('lost', what)) })
    })
    const working = work(this.#manager)
    working.catch(() => {}) // It may fail after the connection was lost, when nobody listens any more.
    try {
      return await Promise.race([working, lost])
    } catch (error) {
      throw toKnown(what, error)
    } finally {
      end()
    }
  }

  /** Gives the connection back. */
  async close(): Promise<void> {
    this.#end()
    await this.#lease.release()
  }

  #lost(): void {
    if (!this.#isUp) return
    this.#isUp = false
    this.#asking.lost()
    for (const follower of [...this.#followers]) follower.lost?.()
  }

  #back(): void {
    if (this.#isClosed) return
    this.#isUp = true
    for (const wake of [...this.#waiting]) wake()
    for (const follower of [...this.#followers]) follower.back?.()
  }

  #end(): void {
    if (this.#isClosed) return
    this.#lost()
    this.#isClosed = true
    this.#isUp = false
    this.#asking.close()
    for (const wake of [...this.#waiting]) wake()
  }
}

async function untilReached(broker: StoreBroker, host: StoreHost, user: BrokerUser): Promise<BrokerLease> {
  const { signal, log } = host
  for (let tries = 0; ; tries++) {
    try {
      return await unlessAborted(broker.use(user), signal)
    } catch (error) {
      if (signal.aborted) throw unreached(broker, error)
      if (!(error instanceof LuciliusError && error.code === 'LUC_UNREACHABLE')) throw error
      if (tries === 0)
        log('warn', { broker: broker.settings.shown }, `The store waits for its broker: ${error.message}`)
      await pause(againMs.least + Math.random() * (againMs.most - againMs.least), signal)
    }
  }
}

/** A share that comes when nobody waits for it any more is given back. */
function unlessAborted(taking: Promise<BrokerLease>, signal: AbortSignal): Promise<BrokerLease> {
  return new Promise((resolve, reject) => {
    const giveUp = () => reject(signal.reason)
    const forgetSignal = onAbort(signal, giveUp)
    if (signal.aborted) giveUp()
    taking.then((lease) => {
      forgetSignal()
      if (signal.aborted) void lease.release()
      else resolve(lease)
    }, reject)
  })
}

function unreached({ settings }: StoreBroker, cause: unknown): LuciliusError {
  const why = cause instanceof LuciliusError ? cause.message : 'its broker did not answer in time.'
  const message = `The store at ${settings.shown} cannot be reached: ${why}`
  return new LuciliusError('LUC_STORE_FAILED', message, { handled: 'no', cause })
}

/** What the client throws, as one of our two errors. */
function toKnown(what: string, error: unknown): unknown {
  if (error instanceof Unanswered) return error
  if (error instanceof JetStreamApiError) {
    return new Refused({ status: error.status, code: error.code, message: error.message })
  }
  const { name, cause, message } = error as Error
  if (name === 'JetStreamNotEnabled' && cause instanceof JetStreamApiError) {
    return new Refused({ status: cause.status, code: refusals.notEnabledForAccount, message })
  }
  if (name === 'JetStreamNotEnabled') return new Unanswered('nobody', '$JS.API', { cause: error })
  if (name === 'TimeoutError') return new Unanswered('silent', what, { cause: error })
  if (name === 'ClosedConnectionError' || name === 'DrainingConnectionError') return new Unanswered('closed', what)
  const isForbidden = error instanceof PermissionViolationError || cause instanceof PermissionViolationError
  if (isForbidden) return new Unanswered('forbidden', ((cause ?? error) as PermissionViolationError).subject)
  return error
}
