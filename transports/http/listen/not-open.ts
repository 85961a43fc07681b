import type { IncomingMessage, ServerResponse } from 'node:http'
import { encodeJson } from '../../../lib/transport-kit.js'
import { statusOf } from '../status.js'

/** Answers a request that came before the transport listens. */
export function refuseEarly(_request: IncomingMessage, response: ServerResponse): void {
  const error = { code: 'LUC_SERVICE_CLOSED', message: 'This listener is not open yet.', handled: 'no' }
  response.writeHead(statusOf(error.code), { 'content-type': 'application/json; charset=utf-8', connection: 'close' })
  response.end(encodeJson({ error }))
}
