import type { Msg, Subscription } from '@nats-io/transport-node'
import {
  type ActEnvelope,
  bareError,
  bareOutcome,
  Desk,
  type HeaderFields,
  type Listener,
  LuciliusError,
  type Outcome,
  type Receiver,
  readClientMeta,
  readMessage,
  toWireError,
} from '../../lib/transport-kit.js'
import type { Broker, Lease } from './broker.js'
import { ERROR_FIELD, readHeaders, toHeaders } from './fields.js'
import { urlOf } from './place.js'
import { toAppName } from './settings.js'
import { subjectsOf } from './subjects.js'
import { subscribe, unsubscribe } from './subscribing.js'
import { toTrouble } from './trouble.js'

/** The queue group of a door's instances: the server gives each request to one of them. */
const GROUP = 'lucilius'

/** Milliseconds that the answers to the last requests may take. */
const GOODBYE_MS = 2_000

/**
 * Opens the clients' door of an app: requests of whoever can reach the broker, each to one of the app's instances. Rejects
 * as the broker does, and with `LUC_OPTIONS_INVALID` if the app has no name that a subject can have.
 */
export async function openDoor(broker: Broker, receiver: Receiver): Promise<Listener> {
  const { settings } = broker
  const desk = new Desk(receiver, settings)
  let lease: Lease | undefined
  try {
    const app = toAppName(settings.app ?? desk.name)
    lease = await broker.use()
    const door = new Door(broker, lease, desk, app)
    await door.open()
    const url = urlOf(settings.scheme, lease.nats.getServer(), settings.space, 'act', app)
    return { url, drain: () => door.drain(), close: () => door.close() }
  } catch (error) {
    desk.close()
    await lease?.release()
    throw toTrouble(settings.shown, error)
  }
}

class Door {
  readonly #broker: Broker
  readonly #lease: Lease
  readonly #desk: Desk
  readonly #subject: string
  #subscriptions: readonly Subscription[] = []
  #draining: Promise<void> | undefined

  constructor(broker: Broker, lease: Lease, desk: Desk, app: string) {
    this.#broker = broker
    this.#lease = lease
    this.#desk = desk
    this.#subject = subjectsOf(broker.settings.space).door(app)
  }

  async open(): Promise<void> {
    await this.#lease.up(this.#broker.settings.connectTimeoutMs)
    const take = (request: Msg) => this.#take(request)
    this.#subscriptions = await subscribe(this.#lease, [{ subject: this.#subject, queue: GROUP, take }])
  }

  /** Asks the server to send nothing more; what it has sent by then goes back to it, for another instance. */
  drain(): void {
    this.#draining ??= unsubscribe(this.#lease, this.#subscriptions)
  }

  async close(): Promise<void> {
    this.drain()
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, GOODBYE_MS)
    })
    await Promise.race([this.#answered(), late])
    clearTimeout(timer)
    this.#desk.close()
    await this.#lease.release()
  }

  async #answered(): Promise<void> {
    await this.#draining
    await this.#desk.idle()
  }

  #take(request: Msg): void {
    // The server had sent it before it heard that we leave. Whoever takes it now, or nobody, answers the client.
    if (this.#desk.draining) {
      this.drain()
      this.#handOn(request)
      return
    }
    if (request.data.length === 0) {
      // Somebody only wants to know whether anybody is there.
      this.#answer(request, {})
      return
    }
    let envelope: ActEnvelope
    let fields: HeaderFields
    try {
      fields = readHeaders(request)
      envelope = {
        kind: 'act',
        message: readMessage(request.data, this.#broker.settings),
        meta: readClientMeta(fields),
      }
    } catch (error) {
      // It is the LuciliusError that says what cannot be read.
      this.#answer(request, { error: toWireError(error) })
      return
    }
    this.#desk.act(envelope, fields, (outcome) => {
      if (outcome.error?.code === 'LUC_SERVICE_CLOSED') this.#handOn(request)
      else this.#answer(request, outcome)
    })
  }

  #handOn({ reply, data, headers }: Msg): void {
    if (!this.#lease.isUp) return
    const options = { ...(reply === undefined ? {} : { reply }), ...(headers === undefined ? {} : { headers }) }
    this.#lease.nats.publish(this.#subject, data, options)
  }

  #answer({ reply }: Msg, outcome: Outcome): void {
    if (!reply || !this.#lease.isUp) return
    const { nats } = this.#lease
    const most = nats.info?.max_payload ?? this.#broker.settings.maxBytes
    let answer = bareOutcome(outcome, this.#broker.settings)
    let headers = errorFields(answer.code)
    if (Buffer.byteLength(answer.text) + (headers?.bytes ?? 0) > most) {
      answer = bareError(new LuciliusError('LUC_REPLY_INVALID', `The NATS server takes at most ${most} bytes.`))
      headers = errorFields(answer.code)
    }
    nats.publish(reply, Buffer.from(answer.text), headers === undefined ? {} : { headers: headers.headers })
  }
}

function errorFields(code: string | undefined): ReturnType<typeof toHeaders> {
  return code === undefined ? undefined : toHeaders([ERROR_FIELD, code])
}
