import type { FastifyReply, FastifyRequest } from 'fastify'
import { refuseUnread } from './answer.js'
import type { Door } from './door.js'
import { toFailure } from './failures.js'

/** Runs before the body of a request is read. */
export type Guard = (request: FastifyRequest, reply: FastifyReply, done: () => void) => void

/** Finds out who asks, before anything that was sent is read. No guard at all where nobody is asked. */
export function guardOf({ receiver, identities }: Door): Guard[] {
  if (receiver.anonymous === true) return []
  const guard: Guard = (request, reply, done) => {
    receiver.authenticate(request).then(
      ({ identity }) => {
        if (identity !== undefined) identities.set(request, identity)
        done()
      },
      (error: unknown) => {
        const failure = toFailure(error)
        // RFC 9110 §15.5.2: who is not let in is told what is asked for.
        if (failure.code === 'LUC_UNAUTHENTICATED') reply.header('www-authenticate', 'Bearer')
        refuseUnread(reply, failure)
      },
    )
  }
  return [guard]
}
