import { rmSync } from 'node:fs'
import { chmod } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import { LuciliusError } from '../../errors.js'
import { answerAll } from './answer-all.js'
import type { Controlled } from './controlled.js'
import { removeStale } from './find-control.js'
import { type ControlPlace, newSocketPath } from './place.js'

/** Sockets that are open at the same time. */
const MOST_SOCKETS = 64

/** A control socket that is open. */
export interface Control {
  readonly path: string
  /** Removes the socket, and gives up what is still asked. */
  close(): Promise<void>
}

/**
 * Opens a Unix domain socket through which the commands of the same user reach what runs. It has the mode 0600, in a
 * folder of mode 0700. Rejects with `LUC_LISTEN_FAILED`.
 */
export async function openControl(place: ControlPlace, controlled: Controlled): Promise<Control> {
  await removeStale(place.folder, place.runDir)
  const path = await newSocketPath(place)
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket.once('close', () => sockets.delete(socket)))
    answerAll(socket, place.what, controlled)
  })
  server.maxConnections = MOST_SOCKETS
  await listen(server, path)
  // A process that ends without closing leaves no socket behind, as far as it is up to us.
  const remove = () => rmSync(path, { force: true })
  process.once('exit', remove)
  let closed: Promise<void> | undefined
  return {
    path,
    close: () => {
      closed ??= new Promise((resolve) => {
        process.off('exit', remove)
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      })
      return closed
    },
  }
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (cause: NodeJS.ErrnoException) => {
      server.close() // it may listen already
      reject(new LuciliusError('LUC_LISTEN_FAILED', `No control socket: ${path} (${cause.code}).`, { cause }))
    }
    server.once('error', failed)
    server.listen(path, () => {
      server.off('error', failed)
      server.on('error', () => {}) // one that cannot be accepted tries again
      chmod(path, 0o600).then(resolve, failed)
    })
  })
}
