import type { FastifyInstance } from 'fastify'
import { CLIENT_HEADER_BYTES, PEER_HEADER_BYTES } from '../limits.js'
import type { Settings } from '../options.js'
import { answerError } from './answer.js'
import { refuseBroken } from './broken-request.js'
import type { Door } from './door.js'
import { toFailure } from './failures.js'
import { addRoutes, refuse, refuseUnknownPaths } from './routes.js'

/** Makes a fastify app that has nothing but the routes of a listener, with its limits. */
export async function makeApp(door: Door, prefix: string): Promise<FastifyInstance> {
  const { settings } = door
  const { default: fastify } = await import('fastify')
  const options = {
    bodyLimit: settings.maxBytes,
    requestTimeout: settings.requestTimeoutMs,
    return503OnClosing: false,
    frameworkErrors: (error: unknown, _request: unknown, reply: Parameters<typeof answerError>[0]) =>
      answerError(reply, toFailure(error)),
    clientErrorHandler: refuseBroken,
  }
  const limits = serverLimits(settings, door.receiver.audience === 'peers')
  const app = (
    settings.tls === undefined
      ? fastify({ ...options, http: limits })
      : fastify({ ...options, https: { ...settings.tls, ...limits } })
  ) as FastifyInstance // Its server is http or https, which we do not tell apart.
  app.setErrorHandler(refuse)
  refuseUnknownPaths(app)
  app.register(async (instance) => addRoutes(instance, door), { prefix })
  await app.ready()
  return app
}

function serverLimits({ headersTimeoutMs, requestTimeoutMs }: Settings, isPeers: boolean): object {
  return {
    headersTimeout: headersTimeoutMs,
    requestTimeout: requestTimeoutMs,
    // Node looks for late requests only this often.
    connectionsCheckingInterval: Math.min(5000, Math.max(50, headersTimeoutMs / 4)),
    maxHeaderSize: isPeers ? PEER_HEADER_BYTES : CLIENT_HEADER_BYTES,
  }
}
