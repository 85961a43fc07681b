import type { Client, Dispatcher } from 'undici'
import { LuciliusError, type PortableLimits } from '../../../lib/transport-kit.js'
import { status } from '../status.js'
import { toErrorBody } from './answer.js'
import type { Answer } from './exchange.js'
import { noStream } from './stream-reader.js'

/** Bytes of a refusal that are read. */
const MOST = 16 * 1024

/**
 * What a listener answers to a hello: its `WWW-Authenticate`, undefined if it lets whoever says it in, and what it says
 * besides. Rejects with what it has against anybody, such as that it is closing.
 */
export async function askChallenge(
  client: Client,
  request: Dispatcher.RequestOptions,
  limits: Required<PortableLimits>,
): Promise<[challenge: string | undefined, said?: string | undefined]> {
  const { statusCode, headers, body } = await client.request(request).catch((cause) => {
    throw new LuciliusError('LUC_UNREACHABLE', 'The listener cannot be reached.', { cause })
  })
  // One that is destroyed says so even if all of it was there, and an error that nobody hears ends the process.
  body.on('error', () => {})
  if (statusCode < 300) {
    body.destroy()
    return [undefined]
  }
  const isJson = String(headers['content-type']).startsWith('application/json')
  const answer = { status: statusCode, isJson, body: await readAll(body) }
  if (statusCode !== status.unauthorized) throw noStream(answer, limits)
  return [String(headers['www-authenticate']), messageOf(answer, limits)]
}

function messageOf(answer: Answer, limits: Required<PortableLimits>): string | undefined {
  try {
    return toErrorBody(answer, limits)?.message
  } catch {
    return undefined // It is a hint, and not of ours.
  }
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
