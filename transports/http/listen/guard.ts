import type { FastifyReply, FastifyRequest } from 'fastify'
import { challengeOf, type LuciliusError } from '../../../lib/transport-kit.js'
import { CONNECTION } from '../fields.js'
import { refuseUnread } from './answer.js'
import { type Door, isLeaving } from './door.js'
import { closing, toFailure } from './failures.js'

/** Runs before the body of a request is read. */
export type Guard = (request: FastifyRequest, reply: FastifyReply, done: () => void) => void

/**
 * Finds out who asks, before anything that was sent is read. No guard at all where nobody is asked. With `ofStream` it lets in
 * what says the proof of its stream again: not what opens another stream, which would outlive that proof.
 */
export function guardOf(door: Door, ofStream = false): Guard[] {
  const { receiver, identities, streams } = door
  if (receiver.anonymous === true) return []
  const guard: Guard = (request, reply, done) => {
    const id = streamIdOf(request)
    // Asked for whatever becomes of the request: a peer that is refused lives all the same.
    const stream = streams.named(id)
    // A proof is taken once. What comes after it on behalf of its stream says the same again.
    if (ofStream && stream?.wasOpenedWith(request.headers.authorization) === true) {
      done()
      return
    }
    receiver.authenticate(request).then(
      ({ identity }) => {
        if (identity !== undefined) identities.set(request, identity)
        done()
      },
      (error: unknown) => {
        const failure = toFailure(error)
        if (failure.code !== 'LUC_UNAUTHENTICATED') refuseUnread(reply, failure)
        // Its stream was ended from here: the message may go elsewhere.
        else if (id !== undefined && isLeaving(door)) refuseUnread(reply.header('connection', 'close'), closing())
        else askToProve(reply, failure)
      },
    )
  }
  return [guard]
}

/** RFC 9110 §15.5.2: who is not let in is told what is asked for. */
function askToProve(reply: FastifyReply, failure: LuciliusError): void {
  refuseUnread(reply.header('www-authenticate', challengeOf(failure)), failure)
}

/** The stream that a request belongs to, as it says itself: `/stream/:id`, or a header field. */
function streamIdOf({ params, headers }: FastifyRequest): string | undefined {
  const { id = headers[CONNECTION] } = (params ?? {}) as { readonly id?: string }
  return typeof id === 'string' ? id : undefined
}
