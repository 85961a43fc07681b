import { createHash } from 'node:crypto'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { encodeJson, envelopeLimits, LuciliusError, type Outcome, toEnvelope } from '../../../lib/transport-kit.js'
import { ANNOUNCEMENT_LIMITS, batchLimits } from '../limits.js'
import { status } from '../status.js'
import { answer, answerError } from './answer.js'
import { type Door, isLeaving } from './door.js'
import { closing, noSuchPath, toFailure } from './failures.js'
import type { Guard } from './guard.js'
import { readJson } from './message-body.js'
import { PeerStream } from './peer-stream.js'

/**
 * What only peers may see: the patterns, the stream of changes and events, and the way back up that stream, which `ofStream`
 * guards.
 */
export function peerRoutes(instance: FastifyInstance, door: Door, guard: Guard[], ofStream: Guard[]): void {
  instance.route({
    method: ['GET', 'HEAD'],
    exposeHeadRoute: false,
    url: '/patterns',
    onRequest: guard,
    handler: (request, reply) => tellPatterns(door, request, reply),
  })
  instance.route({
    method: 'GET',
    exposeHeadRoute: false,
    url: '/stream',
    onRequest: guard,
    handler: (request, reply) => openStream(door, request, reply),
  })
  instance.route({
    method: 'PUT',
    url: '/stream/:id',
    onRequest: ofStream,
    bodyLimit: ANNOUNCEMENT_LIMITS.maxBytes,
    handler: upTheStream(door, (stream, request) => {
      stream.observer.hear(readJson(request, ANNOUNCEMENT_LIMITS))
      return {}
    }),
  })
  const limits = batchLimits(envelopeLimits(door.settings))
  instance.route({
    method: 'POST',
    url: '/stream/:id',
    onRequest: ofStream,
    bodyLimit: limits.maxBytes,
    handler: upTheStream(door, (stream, request) => takeEvents(stream, readJson(request, limits))),
  })
}

/** `GET /patterns`: what `tell` says at this moment, with a version as its entity tag. */
function tellPatterns(door: Door, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const text = encodeJson(door.anybody.tell())
  const tag = `"${createHash('sha256').update(text).digest('base64url').slice(0, 22)}"`
  reply.header('etag', tag).header('cache-control', 'no-cache')
  if (request.headers['if-none-match'] === tag) return reply.code(status.notModified).send()
  return reply.header('content-type', 'application/json; charset=utf-8').send(text)
}

/** `GET /stream`: the connection of a peer. */
function openStream(door: Door, request: FastifyRequest, reply: FastifyReply): void {
  if (isLeaving(door)) {
    answerError(reply.header('connection', 'close'), closing())
    return
  }
  reply.hijack()
  const { streams, receiver, settings, identities } = door
  const who = { identity: identities.get(request) }
  const gone = (stream: PeerStream) => streams.remove(stream)
  streams.add(new PeerStream(reply.raw, request.headers.authorization, receiver, who, settings.heartbeatMs, gone))
}

type Take = (stream: PeerStream, request: FastifyRequest) => Outcome | Promise<Outcome>

/** `PUT` and `POST /stream/:id`: what the peer tells, and its events. */
function upTheStream(door: Door, take: Take): (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply> {
  return async (request, reply) => {
    if (isLeaving(door)) reply.header('connection', 'close')
    // The route has this parameter.
    const stream = door.streams.named((request.params as { readonly id: string }).id)
    try {
      if (stream === undefined) throw noSuchPath()
      answer(reply, await take(stream, request), door.settings)
    } catch (error) {
      answerError(reply, error instanceof LuciliusError ? error : notHeard(error))
    }
    return reply
  }
}

/** Events in the order in which they were emitted; the first that is refused speaks for all. */
async function takeEvents({ observer }: PeerStream, list: unknown): Promise<Outcome> {
  if (!Array.isArray(list)) throw new LuciliusError('LUC_WIRE_INVALID', 'Events are sent as a list of envelopes.')
  const envelopes = list.map(toEnvelope)
  if (envelopes.some(({ kind }) => kind !== 'event')) {
    throw new LuciliusError('LUC_WIRE_INVALID', 'Acts are sent to /act, one by one.')
  }
  const outcomes = await Promise.all(envelopes.map((envelope) => observer.receive(envelope, { onCancel: undefined })))
  return outcomes.find(({ error }) => error !== undefined) ?? {}
}

/** The core refuses a peer with an error of its own, as when an app connects to itself. */
function notHeard(error: unknown): LuciliusError {
  const failure = toFailure(error)
  return failure.code === 'LUC_ACTION_FAILED'
    ? new LuciliusError('LUC_FORBIDDEN', 'This app is no peer here.')
    : failure
}
