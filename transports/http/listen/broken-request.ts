import type { Socket } from 'node:net'
import { encodeJson, type LuciliusCode } from '../../../lib/transport-kit.js'
import { status, statusOf } from '../status.js'

/**
 * Answers bytes that are no HTTP request, or not in time, and closes the socket. Nothing of it was done.
 *
 * Without an answer where one to an earlier request is due: whoever waits would take ours for it, and act again.
 */
export function refuseBroken(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable || owesAnswer(socket)) {
    socket.destroy()
    return
  }
  const [number, code, message] = refusalOf(error.code)
  const body = encodeJson({ error: { code, message, handled: 'no' } })
  const head = `HTTP/1.1 ${number} ${reasons[number] ?? 'Bad Request'}`
  const fields = `content-type: application/json; charset=utf-8\r\ncontent-length: ${Buffer.byteLength(body)}`
  socket.end(`${head}\r\n${fields}\r\nconnection: close\r\n\r\n${body}`, () => socket.destroy())
}

const reasons: { readonly [number: number]: string } = {
  [status.requestTimeout]: 'Request Timeout',
  [status.headersTooLarge]: 'Request Header Fields Too Large',
}

function refusalOf(code: string | undefined): readonly [number, LuciliusCode, string] {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return [status.requestTimeout, 'LUC_WIRE_INVALID', 'The request did not arrive in time.']
  }
  if (code === 'HPE_HEADER_OVERFLOW') return [status.headersTooLarge, 'LUC_TOO_LARGE', 'The header has too many bytes.']
  return [statusOf('LUC_WIRE_INVALID'), 'LUC_WIRE_INVALID', 'This is no HTTP request.']
}

/** The answer that a socket waits for next, and the request that it belongs to, as far as it has come. */
interface Due {
  readonly headersSent: boolean
  readonly req: { readonly complete: boolean }
}

/** Whether a whole request was taken from this socket and not answered, or its answer has begun. */
function owesAnswer(socket: Socket): boolean {
  // What node:http itself asks before it answers (lib/_http_server.js); it has no public name.
  const { _httpMessage: due } = socket as { readonly _httpMessage?: Due | null }
  // Of a request that is not whole it is itself the rest that is broken: it has not run.
  return due?.headersSent === true || due?.req.complete === true
}
