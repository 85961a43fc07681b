import type { FastifyInstance, FastifyReply, FastifyRequest, HTTPMethods } from 'fastify'
import { LuciliusError } from '../../../lib/transport-kit.js'
import { actRoute } from './act-route.js'
import { answerError, refuseUnread } from './answer.js'
import type { Door } from './door.js'
import { eventRoute } from './event-route.js'
import { noSuchPath, toFailure } from './failures.js'
import { guardOf } from './guard.js'
import { healthRoutes } from './health-routes.js'
import { acceptJsonOnly } from './message-body.js'
import { peerRoutes } from './peer-routes.js'

/** Puts the routes of a listener into a fastify app. */
export function addRoutes(instance: FastifyInstance, door: Door): void {
  const guard = guardOf(door)
  const ofStream = guardOf(door, true)
  const isPeers = door.receiver.audience === 'peers'
  acceptJsonOnly(instance)
  instance.setErrorHandler(refuse)
  const { maxBytes } = door.settings
  instance.route({ method: 'POST', url: '/act', onRequest: ofStream, bodyLimit: maxBytes, handler: actRoute(door) })
  healthRoutes(instance, door)
  if (isPeers) peerRoutes(instance, door, guard, ofStream)
  else
    instance.route({ method: 'POST', url: '/event', onRequest: guard, bodyLimit: maxBytes, handler: eventRoute(door) })
  refuseOtherMethods(instance, isPeers ? { ...always, ...forPeers } : { ...always, ...forClients })
}

/** Answers what no route takes in the form of every other error. */
export function refuseUnknownPaths(instance: FastifyInstance): void {
  instance.setNotFoundHandler((_request, reply) => refuseUnread(reply, noSuchPath()))
}

/** Answers what fails around a route in the form of every other error. */
export function refuse(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  answerError(reply, request.is404 ? noSuchPath() : toFailure(error))
}

type Allowed = { readonly [path: string]: readonly string[] }

const always: Allowed = { '/act': ['POST'], '/health': ['GET', 'HEAD'], '/ready': ['GET', 'HEAD'] }
const forClients: Allowed = { '/event': ['POST'] }
const forPeers: Allowed = { '/patterns': ['GET', 'HEAD'], '/stream': ['GET'], '/stream/:id': ['PUT', 'POST'] }

/** The methods of RFC 9110 §9 and RFC 5789. Others are answered as an unknown path is. */
const methods: readonly HTTPMethods[] = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'TRACE', 'PATCH']

function refuseOtherMethods(instance: FastifyInstance, allowed: Allowed): void {
  for (const [url, known] of Object.entries(allowed)) {
    const allow = known.join(', ')
    // Before the body is read: it would be refused for its type first.
    const onRequest = (_request: FastifyRequest, reply: FastifyReply) =>
      refuseUnread(reply.header('allow', allow), methodNotAllowed(allow))
    const method = methods.filter((one) => !known.includes(one as string))
    instance.route({ method: [...method], url, exposeHeadRoute: false, onRequest, handler: () => {} })
  }
}

function methodNotAllowed(allow: string): LuciliusError {
  return new LuciliusError('LUC_METHOD_NOT_ALLOWED', `This path is for ${allow}.`)
}
