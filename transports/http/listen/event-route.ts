import type { FastifyReply, FastifyRequest } from 'fastify'
import { readClientMeta } from '../../../lib/transport-kit.js'
import { answer, answerError } from './answer.js'
import { type Door, isLeaving } from './door.js'
import { closing, toFailure } from './failures.js'
import { readMessage } from './message-body.js'

/** `POST /event`: a message of a client for whoever observes it. 204 whether anybody does or not. */
export function eventRoute(door: Door): (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply> {
  return async (request, reply) => {
    if (isLeaving(door)) reply.header('connection', 'close')
    try {
      if (door.closed) throw closing()
      const message = readMessage(request, door.settings)
      const envelope = { kind: 'event', message, meta: readClientMeta(request.headers), services: [] } as const
      const call = { onCancel: undefined, identity: door.identities.get(request) }
      answer(reply, await door.anybody.receive(envelope, call), door.settings)
    } catch (error) {
      answerError(reply, toFailure(error))
    }
    return reply
  }
}
