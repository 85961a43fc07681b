import type { Client, Dispatcher } from 'undici'
import { LuciliusError, type PortableLimits } from '../../../lib/transport-kit.js'
import { status } from '../status.js'
import { noStream } from './stream-reader.js'

/** Bytes of a refusal that are read. */
const MOST = 16 * 1024

/**
 * What a listener answers to a hello: its `WWW-Authenticate`, or undefined if it lets whoever says it in. Rejects with what
 * it has against anybody, such as that it is closing.
 */
export async function askChallenge(
  client: Client,
  request: Dispatcher.RequestOptions,
  limits: PortableLimits,
): Promise<string | undefined> {
  const { statusCode, headers, body } = await client.request(request).catch((cause) => {
    throw new LuciliusError('LUC_UNREACHABLE', 'The listener cannot be reached.', { cause })
  })
  if (statusCode < 300) {
    body.destroy()
    return undefined
  }
  const bytes = await readAll(body)
  if (statusCode === status.unauthorized) return String(headers['www-authenticate'])
  const isJson = String(headers['content-type']).startsWith('application/json')
  throw noStream({ status: statusCode, isJson, body: bytes }, limits)
}

/** The body of a refusal; nothing if it is too long to be one. Leaves the socket to the next request. */
async function readAll(body: Dispatcher.ResponseData['body']): Promise<Buffer> {
  const chunks: Buffer[] = []
  let bytes = 0
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      bytes += chunk.length
      if (bytes > MOST) return Buffer.alloc(0)
      chunks.push(chunk)
    }
    return Buffer.concat(chunks)
  } catch (cause) {
    throw new LuciliusError('LUC_UNREACHABLE', 'The listener closed its socket in the middle of an answer.', { cause })
  }
}
