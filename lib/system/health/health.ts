import { createServer, type RequestListener } from 'node:http'
import { LuciliusError } from '../../errors.js'
import { notOpen } from '../doors.js'

/** How a process is, for whoever watches over it. */
export type Health = 'starting' | 'ready' | 'draining'

/** Where a process tells how it is. */
export interface HealthDoor {
  readonly url: string
  close(): Promise<void>
}

/**
 * Tells over HTTP how this process is: `GET /health` answers 200 as long as it lives, `GET /ready` 200 while it takes work
 * and 503 before and after. Nothing else is told. Rejects with `LUC_LISTEN_FAILED`.
 */
export async function openHealth(
  at: { readonly host: string; readonly port: number },
  health: () => Health,
): Promise<HealthDoor> {
  const server = createServer(answerWith(health))
  server.unref()
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => reject(failed(at, cause)))
    server.listen(at.port, at.host, resolve)
  })
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : at.port
  return {
    url: `http://${at.host.includes(':') ? `[${at.host}]` : at.host}:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function answerWith(health: () => Health): RequestListener {
  return ({ method, url }, response) => {
    const path = url?.split('?', 1)[0]
    const status = health()
    const isKnown = path === '/health' || path === '/ready'
    const code = !isKnown
      ? 404
      : method !== 'GET' && method !== 'HEAD'
        ? 405
        : path === '/ready' && status !== 'ready'
          ? 503
          : 200
    response.writeHead(code, { 'content-type': 'application/json', 'cache-control': 'no-store', connection: 'close' })
    response.end(method === 'HEAD' ? undefined : JSON.stringify(isKnown ? { status } : {}))
  }
}

function failed(at: { readonly host: string; readonly port: number }, cause: Error): unknown {
  const text = `It cannot be told on port ${at.port} of ${at.host} how this process is.`
  return notOpen('The door for health checks', at, new LuciliusError('LUC_LISTEN_FAILED', text, { cause }))
}
