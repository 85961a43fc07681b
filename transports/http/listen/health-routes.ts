import type { FastifyInstance } from 'fastify'
import { answerError } from './answer.js'
import { type Door, isLeaving } from './door.js'
import { closing } from './failures.js'

/** `GET /health`: the process lives. `GET /ready`: it takes new work; 503 when it drains. For everybody. */
export function healthRoutes(instance: FastifyInstance, door: Door): void {
  const options = { method: ['GET', 'HEAD'], exposeHeadRoute: false }
  instance.route({
    ...options,
    url: '/health',
    handler: (_request, reply) => {
      reply.header('cache-control', 'no-store').send({ live: true })
    },
  })
  instance.route({
    ...options,
    url: '/ready',
    handler: (_request, reply) => {
      reply.header('cache-control', 'no-store')
      if (!isLeaving(door)) return reply.send({ ready: true })
      answerError(reply.header('connection', 'close'), closing())
      return reply
    },
  })
}
