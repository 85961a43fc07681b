import type { IncomingMessage } from 'node:http'
import { type Credentials, challengeOf, LuciliusError, type Receiver } from '../../lib/transport-kit.js'
import { SUBPROTOCOL } from './protocol.js'
import type { Refusal } from './refusal.js'
import type { Settings } from './settings.js'

/** Who asks for an upgrade, or why it is refused. Nothing has been read of what they send, nor is before it is known. */
export async function admit(
  request: IncomingMessage,
  receiver: Receiver,
  { origins, handshakeTimeoutMs }: Settings,
): Promise<Credentials | Refusal> {
  const { origin } = request.headers
  if (request.headers.upgrade?.toLowerCase() !== 'websocket') return upgradeRequired
  if (origin !== undefined && !origins.has(origin)) return foreign
  // Without a key it is no upgrade at all; ws says so.
  if (request.headers['sec-websocket-key'] !== undefined && !offersOurs(request)) return otherProtocol
  if (receiver.draining) return closing
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<Refusal>((resolve) => {
    timer = setTimeout(resolve, handshakeTimeoutMs, tooSlow)
  })
  try {
    return await Promise.race([receiver.authenticate(request), late])
  } catch (error) {
    return unauthenticated(error)
  } finally {
    clearTimeout(timer)
  }
}

/** Whether an admission is a refusal. */
export function isRefusal(admission: Credentials | Refusal): admission is Refusal {
  return 'status' in admission
}

function offersOurs({ headers }: IncomingMessage): boolean {
  const offered = headers['sec-websocket-protocol'] ?? ''
  return offered.split(',').some((one) => one.trim() === SUBPROTOCOL)
}

/** What a plain request gets, or an upgrade to something else. */
export const upgradeRequired: Refusal = {
  status: 426,
  code: 'LUC_WIRE_INVALID',
  message: `WebSocket is spoken here, subprotocol ${SUBPROTOCOL}.`,
  headers: { upgrade: 'websocket' },
}

/** What an upgrade to a path gets that nobody listens on. */
export const noSuchPath: Refusal = {
  status: 404,
  code: 'LUC_WIRE_INVALID',
  message: 'Nobody listens for WebSockets on this path.',
}

const foreign: Refusal = {
  status: 403,
  code: 'LUC_FORBIDDEN',
  message: 'Pages of this origin may not connect.',
}

const otherProtocol: Refusal = {
  status: 400,
  code: 'LUC_WIRE_INVALID',
  message: `The subprotocol is ${SUBPROTOCOL}: ask for it.`,
}

const closing: Refusal = {
  status: 503,
  code: 'LUC_SERVICE_CLOSED',
  message: 'The app is closing and takes no new connections.',
}

const tooSlow: Refusal = {
  status: 503,
  code: 'LUC_OVERLOADED',
  message: 'Who you are could not be established in time.',
}

function unauthenticated(error: unknown): Refusal {
  const message = 'Who you are could not be established.'
  if (!(error instanceof LuciliusError)) return { status: 401, code: 'LUC_UNAUTHENTICATED', message }
  if (error.code === 'LUC_FORBIDDEN') return { status: 403, code: error.code, message: error.message }
  const headers = { 'www-authenticate': challengeOf(error) }
  return { status: 401, code: 'LUC_UNAUTHENTICATED', message: error.message, headers }
}
