import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createSecureServer, type ServerOptions } from 'node:https'
import { LuciliusError } from '../../lib/transport-kit.js'
import { upgradeRequired } from './admission.js'
import { refusalBody } from './refusal.js'
import type { Settings } from './settings.js'

/** Opens a server that does nothing but upgrades. Rejects with `LUC_LISTEN_FAILED`. */
export function openServer({ port, host, tls, handshakeTimeoutMs }: Settings): Promise<Server> {
  const times = {
    headersTimeout: handshakeTimeoutMs,
    requestTimeout: handshakeTimeoutMs,
    connectionsCheckingInterval: Math.min(1000, handshakeTimeoutMs),
  }
  const server =
    tls === undefined
      ? createServer(times, answer)
      : createSecureServer({ ...(tls as ServerOptions), ...times }, answer)
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => {
      reject(
        new LuciliusError('LUC_LISTEN_FAILED', `Cannot listen on port ${port} of ${host}: ${reasonOf(cause)}.`, {
          cause,
        }),
      )
    })
    server.listen(port, host, () => resolve(server))
  })
}

/** Stops listening. Whoever has not upgraded has nothing to wait for. */
export function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}

const answer: RequestListener = (_, response) => {
  const { status, headers } = upgradeRequired
  response.writeHead(status, { ...headers, connection: 'close', 'content-type': 'application/json' })
  response.end(refusalBody(upgradeRequired))
}

function reasonOf(error: Error): string {
  const { code } = error as NodeJS.ErrnoException
  return code === 'EADDRINUSE' ? 'it is taken. Take another one, or 0 for any that is free' : (code ?? error.message)
}
