import type { FastifyInstance, FastifyRequest } from 'fastify'
import { decodeJson, LuciliusError, type Message, type PortableLimits } from '../../../lib/transport-kit.js'
import { unsupportedMedia } from './failures.js'

/** Lets JSON in as bytes, and nothing else: what it means is read by {@link readJson}, with our limits. */
export function acceptJsonOnly(instance: FastifyInstance): void {
  instance.removeAllContentTypeParsers()
  instance.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
}

/** Reads the body of a request as JSON. Throws `LUC_UNSUPPORTED_MEDIA` and what `decodeJson` throws. */
export function readJson({ body, headers }: FastifyRequest, limits: PortableLimits): unknown {
  if (!Buffer.isBuffer(body)) throw unsupportedMedia()
  const encoding = headers['content-encoding']
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') throw unsupportedMedia()
  return decodeJson(body, limits)
}

/** Reads the body of a request as a message. Throws `LUC_MESSAGE_INVALID` for JSON that is no object. */
export function readMessage(request: FastifyRequest, limits: PortableLimits): Message {
  const value = readJson(request, limits)
  // What JSON gives is plain: an object that is no array is a message.
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Message
  throw new LuciliusError('LUC_MESSAGE_INVALID', 'A message is an object: { "role": "convert", … }.')
}
