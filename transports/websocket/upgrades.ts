import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { LuciliusError } from '../../lib/transport-kit.js'
import { noSuchPath } from './admission.js'
import { refuse } from './refusal.js'

/** Takes an upgrade to a path. */
export type Upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => void

/** The paths that are listened on, by server: several listeners may share one. */
const shared = new WeakMap<Server, Map<string, Upgrade>>()

/**
 * Takes the upgrades to one path of a server, until the returned function is called. Others are left to whoever else
 * listens for them, and refused if nobody does: else they would hang. Throws `LUC_LISTEN_FAILED` if the path is taken.
 */
export function onUpgrade(server: Server, path: string, upgrade: Upgrade): () => void {
  const paths = shared.get(server) ?? share(server)
  if (paths.has(path)) {
    throw new LuciliusError('LUC_LISTEN_FAILED', `The path ${path} is taken: give each listener of a server its own.`)
  }
  paths.set(path, upgrade)
  return () => void paths.delete(path)
}

function share(server: Server): Map<string, Upgrade> {
  const paths = new Map<string, Upgrade>()
  shared.set(server, paths)
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    if (owesAnswer(socket)) {
      socket.destroy()
      return
    }
    const upgrade = paths.get(pathOf(request))
    if (upgrade !== undefined) {
      // Whoever goes away in the middle of it is nobody's error.
      socket.on('error', () => {})
      upgrade(request, socket, head)
    } else if (server.listenerCount('upgrade') === 1) {
      socket.on('error', () => {})
      refuse(socket, noSuchPath)
    }
  })
  return paths
}

/**
 * Whether an earlier request on this socket waits for its answer: what an upgrade is answered would be taken for it. It is
 * what node:http itself asks before it writes an answer (lib/_http_server.js), and has no public name.
 */
function owesAnswer(socket: Duplex & { readonly _httpMessage?: unknown }): boolean {
  return socket._httpMessage != null
}

function pathOf({ url = '/' }: IncomingMessage): string {
  const query = url.indexOf('?')
  return query < 0 ? url : url.slice(0, query)
}
