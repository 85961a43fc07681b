import { rmSync } from 'node:fs'
import { chmod, rename, rm } from 'node:fs/promises'
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
  await openAt(path, server)
  // A process that ends without closing leaves no socket behind, as far as it is up to us.
  const remove = () => rmSync(path, { force: true })
  process.once('exit', remove)
  let closed: Promise<void> | undefined
  return {
    path,
    close: () => {
      closed ??= new Promise((resolve) => {
        process.off('exit', remove)
        remove()
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      })
      return closed
    },
  }
}

/** Listens. The socket gets its name last: whoever sees one may connect to it, and removes one that refuses. */
async function openAt(path: string, server: Server): Promise<void> {
  const nameless = path.replace(/\.sock$/, '.new')
  try {
    await rm(nameless, { force: true })
    await listen(server, nameless)
    await chmod(nameless, 0o600)
    await rename(nameless, path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    server.close() // it may listen already
    throw new LuciliusError('LUC_LISTEN_FAILED', `No control socket: ${path} (${code}).`, { cause: error })
  }
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(path, () => {
      server.off('error', reject)
      server.on('error', () => {}) // one that cannot be accepted tries again
      resolve()
    })
  })
}
