import { rmSync } from 'node:fs'
import { chmod } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import type { App } from '../../app.js'
import { LuciliusError } from '../../errors.js'
import { toWireError } from '../../wire-error.js'
import { type AskStore, noStore } from '../store-questions.js'
import { readLines } from './bounded-lines.js'
import { removeStale } from './find-control.js'
import { type ControlPlace, newSocketPath } from './place.js'
import { type About, type ControlAnswer, type ControlRequest, isBroken, toLine, toRequest } from './protocol.js'

/** Questions of one socket that are worked on at the same time. */
const MOST_AT_ONCE = 256
/** Sockets that are open at the same time. */
const MOST_SOCKETS = 64
/** Bytes that may wait for one who does not read. */
const MOST_WAITING = 16 * 1024 * 1024

/** What a control socket gives access to. */
export interface Controlled {
  /** Acts as nobody in particular: whoever may open the socket is the user who runs it all. */
  readonly app: Pick<App, 'act' | 'list' | 'explain'>
  /** What runs, at the moment of the question. */
  about(): Pick<About, 'name' | 'deployment' | 'processes'>
  /** Answers what is asked of the store of what runs; absent where there is none. */
  readonly store?: AskStore
}

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

function answerAll(socket: Socket, what: string, controlled: Controlled): void {
  const running = new Set<AbortController>()
  const send = (answer: ControlAnswer) => {
    if (!socket.writable) return
    socket.write(lineOf(answer))
    if (socket.writableLength > MOST_WAITING) socket.destroy()
  }
  socket.on('error', () => {}) // 'close' follows
  socket.once('close', () => {
    for (const one of running) one.abort()
  })
  readLines(socket, {
    tooLong: () => {
      send({ error: toWireError(new LuciliusError('LUC_TOO_LARGE', 'The line has more than 4 MiB.')) })
      socket.destroySoon()
    },
    line: (text) => {
      const request = toRequest(text)
      if (isBroken(request)) {
        const { id, error } = request
        return send({ ...(id === undefined ? {} : { id }), error: toWireError(error) })
      }
      const { id } = request
      if (running.size >= MOST_AT_ONCE) return send({ id, error: toWireError(overloaded()) })
      const cancel = new AbortController()
      running.add(cancel)
      answer(request, what, controlled, cancel.signal)
        .then(
          (reply) => send({ id, reply }),
          (error) => send({ id, error: toWireError(error) }),
        )
        .finally(() => running.delete(cancel))
    },
  })
}

async function answer(
  request: ControlRequest,
  what: string,
  { app, about, store }: Controlled,
  signal: AbortSignal,
): Promise<unknown> {
  switch (request.op) {
    case 'about':
      return { ...about(), what, pid: process.pid } satisfies About
    case 'list':
      return app.list(request.pattern)
    case 'explain':
      return app.explain(request.message)
    case 'act': {
      const { message, timeoutMs } = request
      return app.act(message, {}, { signal, ...(timeoutMs === undefined ? {} : { timeoutMs }) })
    }
    case 'store':
      if (store === undefined) throw noStore()
      return store(request.question)
  }
}

function lineOf(answer: ControlAnswer): string {
  try {
    return toLine(answer)
  } catch (error) {
    return toLine({ ...(answer.id === undefined ? {} : { id: answer.id }), error: toWireError(error) })
  }
}

function overloaded(): LuciliusError {
  return new LuciliusError('LUC_OVERLOADED', `More than ${MOST_AT_ONCE} questions at once on one socket.`)
}
