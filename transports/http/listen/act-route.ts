import type { FastifyReply, FastifyRequest } from 'fastify'
import {
  type ActEnvelope,
  type DirectCall,
  LuciliusError,
  type Outcome,
  readClientMeta,
  readPeerAct,
  receiveDirect,
} from '../../../lib/transport-kit.js'
import { CONNECTION } from '../fields.js'
import { answer, answerError } from './answer.js'
import { type Door, isLeaving } from './door.js'
import { closing, toFailure } from './failures.js'
import type { Load } from './load.js'
import { readMessage } from './message-body.js'

/**
 * `POST /act`: one message, one reply.
 *
 * The hot path of a listener: the body is read and written by hand, cancellation is a hook on the response instead of
 * an `AbortSignal` (`npm run bench -- remote --only B:lucilius#http`).
 */
export function actRoute(door: Door): (request: FastifyRequest, reply: FastifyReply) => void {
  const { settings, receiver, sockets, streams, identities } = door
  const isPeer = receiver.audience === 'peers'
  const { maxInFlight } = settings
  return (request, reply) => {
    const { headers } = request
    let envelope: ActEnvelope
    try {
      const message = readMessage(request, settings)
      envelope = isPeer ? readPeerAct(message, headers) : { kind: 'act', message, meta: readClientMeta(headers) }
    } catch (error) {
      answerError(leaving(door, reply), toFailure(error))
      return
    }
    const stream = isPeer ? streams.named(headers[CONNECTION]) : undefined
    const load: Load = stream ?? sockets.of(request.raw.socket)
    if (door.closed || load.running >= maxInFlight) {
      answerError(leaving(door, reply), door.closed ? closing() : overloaded(maxInFlight))
      return
    }
    // Whoever holds a stream was identified with it.
    const identity = stream === undefined ? identities.get(request) : undefined
    receiveDirect(stream?.observer ?? door.anybody, envelope, new Answering(door, reply, load, identity))
  }
}

/**
 * An act that runs here, and the response that waits for its reply.
 *
 * A class, for V8 soon takes an object literal of which most live through a collection to be long-lived. It would be made
 * where only full collections come by, and keep the request until one does: a quarter of the time of a listener.
 */
class Answering implements DirectCall {
  readonly #door: Door
  readonly #reply: FastifyReply
  readonly #load: Load
  readonly identity: unknown
  onCancel: (() => void) | undefined = undefined
  #isOpen = true

  constructor(door: Door, reply: FastifyReply, load: Load, identity: unknown) {
    this.#door = door
    this.#reply = reply
    this.#load = load
    this.identity = identity
    load.running++
    reply.raw.on('close', () => {
      if (this.#end()) this.onCancel?.()
    })
  }

  settle(outcome: Outcome): void {
    if (!this.#end()) return
    const door = this.#door
    const bare = !door.isMounted && !isLeaving(door)
    answer(bare ? this.#reply : leaving(door, this.#reply), outcome, door.settings, bare)
  }

  /** What the answering end is never told. */
  fail(): void {}

  /** Ends it once: with its answer, or with the socket. */
  #end(): boolean {
    if (!this.#isOpen) return false
    this.#isOpen = false
    this.#load.running--
    return true
  }
}

/** Asks the other side to close its socket if nothing new is taken: a socket that we closed might just be in use. */
function leaving(door: Door, reply: FastifyReply): FastifyReply {
  if (isLeaving(door)) reply.header('connection', 'close')
  return reply
}

function overloaded(max: number): LuciliusError {
  return new LuciliusError('LUC_OVERLOADED', `${max} messages of this connection run already.`)
}
