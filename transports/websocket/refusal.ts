import { type IncomingMessage, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import { decodeJson, isMessage, type LuciliusCode, LuciliusError } from '../../lib/transport-kit.js'

/** Bytes of a refusal that are read. */
const MOST = 16 * 1024

/** An upgrade that is refused: how HTTP says it, and how we do. */
export interface Refusal {
  readonly status: number
  readonly code: LuciliusCode
  readonly message: string
  readonly headers?: { readonly [name: string]: string }
}

/** The text that a refusal is answered with: `{ "error": … }` as everywhere over HTTP. */
export function refusalBody({ code, message }: Refusal): string {
  return JSON.stringify({ error: { code, message, handled: 'no' } })
}

/** Refuses an upgrade and closes its socket. */
export function refuse(socket: Duplex, refusal: Refusal): void {
  const body = refusalBody(refusal)
  const headers = {
    ...refusal.headers,
    connection: 'close',
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(body)),
  }
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.once('finish', () => socket.destroy())
  socket.end(`HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status]}\r\n${lines.join('')}\r\n${body}`)
}

/** The error that a refused upgrade stands for; undefined if it is none of ours. */
export async function refusedWith(response: IncomingMessage): Promise<LuciliusError | undefined> {
  try {
    let text = ''
    for await (const chunk of response.setEncoding('utf8')) {
      text += chunk
      if (text.length > MOST) return undefined
    }
    const body = decodeJson(text)
    const error = isMessage(body) ? body.error : undefined
    if (!isMessage(error)) return undefined
    const { code, message } = error
    if (typeof code !== 'string' || typeof message !== 'string' || !KNOWN.has(code)) return undefined
    return new LuciliusError(code as LuciliusCode, message)
  } catch {
    return undefined // A proxy's page, or half an answer: the status is all there is to tell.
  }
}

const KNOWN: ReadonlySet<string> = new Set<LuciliusCode>([
  'LUC_UNAUTHENTICATED',
  'LUC_FORBIDDEN',
  'LUC_SERVICE_CLOSED',
  'LUC_OVERLOADED',
  'LUC_WIRE_INVALID',
])
