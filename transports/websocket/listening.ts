import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { type WebSocket, WebSocketServer } from 'ws'
import type { Credentials, Listener, Receiver } from '../../lib/transport-kit.js'
import { urlOf } from './address.js'
import { admit, isRefusal } from './admission.js'
import { ANNOUNCEMENT_BYTES, ENVELOPE_BYTES } from './frame-limits.js'
import { FrameWriter } from './frame-writer.js'
import { Link } from './link.js'
import { closeServer, openServer } from './own-server.js'
import { SUBPROTOCOL } from './protocol.js'
import { refuse } from './refusal.js'
import type { Settings } from './settings.js'
import { onUpgrade } from './upgrades.js'

/** Listens alone, or on the port of a server that is there already. Rejects with `LUC_LISTEN_FAILED`. */
export async function listenOn(settings: Settings, receiver: Receiver): Promise<Listener> {
  const given = settings.server
  if (given !== undefined) return attachTo(given, settings, receiver, async () => {})
  const server = await openServer(settings)
  return attachTo(server, settings, receiver, () => closeServer(server))
}

function attachTo(server: Server, settings: Settings, receiver: Receiver, release: () => Promise<void>): Listener {
  const links = new Set<Link>()
  const upgrader = new WebSocketServer({
    noServer: true,
    maxPayload: receiver.audience === 'peers' ? ANNOUNCEMENT_BYTES : settings.maxBytes + ENVELOPE_BYTES,
    perMessageDeflate: false,
    handleProtocols: () => SUBPROTOCOL,
  })
  let closed = false
  const detach = onUpgrade(server, settings.path, (request, socket, head) => {
    void admit(request, receiver, settings).then((admission) => {
      if (socket.destroyed) return
      if (closed) socket.destroy()
      else if (isRefusal(admission)) refuse(socket, admission)
      else upgradeTo(upgrader, request, socket, head, (open) => serve(open, socket, admission))
    })
  })
  const serve = (socket: WebSocket, stream: Duplex, who: Credentials) => {
    const manner = receiver.audience === 'peers' ? 'peer' : 'client'
    const link = new Link(socket, new FrameWriter(stream, false), settings, manner, (connection) =>
      receiver.accept(manner === 'peer' ? connection : undefined, who),
    )
    if (manner === 'peer') link.expect()
    links.add(link)
    link.onGone = () => links.delete(link)
  }
  return {
    get url() {
      return urlOf(server, settings.path)
    },
    close: async () => {
      if (closed) return
      closed = true
      detach()
      await Promise.all([...links].map((link) => link.close()))
      await release()
    },
  }
}

function upgradeTo(
  upgrader: WebSocketServer,
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  serve: (socket: WebSocket) => void,
): void {
  upgrader.handleUpgrade(request, socket, head, serve)
}
