import type { RequestListener, Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { type Listener, LuciliusError, type Receiver } from '../../../lib/transport-kit.js'
import type { FastifyHost, Settings } from '../options.js'
import { urlOf } from '../target.js'
import { makeApp } from './app.js'
import type { Door } from './door.js'
import { SocketLoads } from './load.js'
import { PeerStreams } from './peer-streams.js'
import { addRoutes, refuseUnknownPaths } from './routes.js'
import { Sockets } from './sockets.js'

/** A listener, with what its transport lends to others. */
export interface Opened {
  readonly listener: Listener
  readonly handler?: RequestListener
  readonly server?: Server
}

/** Opens the listener that the options ask for. Rejects with `LUC_LISTEN_FAILED`, `LUC_OPTIONS_INVALID`. */
export async function openListener(settings: Settings, receiver: Receiver): Promise<Opened> {
  const { where } = settings
  if (where.kind === 'url') {
    throw new LuciliusError('LUC_OPTIONS_INVALID', "http: 'url' is for connect. To listen give 'port', such as 0.")
  }
  const door: Door = {
    settings,
    receiver,
    anybody: receiver.accept(undefined, {}),
    streams: new PeerStreams(),
    sockets: new SocketLoads(),
    identities: new WeakMap(),
    isMounted: where.kind === 'fastify',
    closed: false,
  }
  if (where.kind === 'fastify') return mount(where.fastify, where.prefix, door)
  const app = await makeApp(door, where.prefix)
  if (where.kind === 'port') return openPort(app, where, door)
  const close = async () => {
    shut(door)
    await app.close()
  }
  return { listener: { url: where.prefix || '/', close }, handler: app.routing }
}

async function openPort(
  app: FastifyInstance,
  { host, port, prefix }: { readonly host: string; readonly port: number; readonly prefix: string },
  door: Door,
): Promise<Opened> {
  const server = app.server as Server
  const sockets = new Sockets(server)
  try {
    await listenOn(server, port, host)
  } catch (cause) {
    await app.close()
    throw new LuciliusError('LUC_LISTEN_FAILED', `Cannot listen on port ${port} of ${host}: ${reasonOf(cause)}.`, {
      cause,
    })
  }
  const { lingerMs, tls } = door.settings
  // A server that listens on a port has an address with one.
  const address = server.address() as AddressInfo
  const close = async () => {
    shut(door)
    // A socket that we closed might just be in use: the others go first, and are answered until then.
    await sockets.ended(lingerMs)
    const closed = new Promise((resolve) => server.close(resolve))
    await sockets.ended(lingerMs)
    sockets.destroy()
    await closed
    await app.close()
  }
  const url = urlOf(tls === undefined ? 'http' : 'https', host, address.port, prefix)
  return { listener: { url, close }, handler: app.routing, server }
}

/** Its owner listens and closes; after our close the routes answer that they are closed. */
async function mount(fastify: FastifyHost, prefix: string, door: Door): Promise<Opened> {
  const plugin = async (instance: FastifyInstance) => {
    addRoutes(instance, door)
    // Without a prefix, unknown paths are the owner's.
    if (prefix !== '') refuseUnknownPaths(instance)
  }
  try {
    // Apps of every logger and server fit; their types do not fit each other.
    await (fastify as unknown as FastifyInstance).register(plugin, { prefix })
  } catch (cause) {
    const advice = 'mount it before the app is ready, once for each prefix'
    throw new LuciliusError('LUC_LISTEN_FAILED', `Cannot mount into the fastify app: ${advice}.`, { cause })
  }
  return { listener: { url: prefix || '/', close: async () => shut(door) } }
}

function shut(door: Door): void {
  door.closed = true
  door.streams.end()
}

function listenOn(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

function reasonOf(cause: unknown): string {
  const { code } = (cause ?? {}) as { readonly code?: unknown }
  if (code === 'EADDRINUSE') return 'it is taken. Take another one, or 0 for any that is free'
  if (code === 'EACCES') return 'not allowed'
  return typeof code === 'string' ? code : 'unknown reason'
}
