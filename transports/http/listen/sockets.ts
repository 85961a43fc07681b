import type { Server } from 'node:http'
import type { Socket } from 'node:net'

/** The sockets of a server, to see them end before the port is closed. */
export class Sockets {
  readonly #open = new Set<Socket>()
  #onEmpty: (() => void) | undefined

  constructor(server: Server) {
    server.on('connection', (socket: Socket) => {
      this.#open.add(socket)
      socket.once('close', () => {
        this.#open.delete(socket)
        if (this.#open.size === 0) this.#onEmpty?.()
      })
    })
  }

  /** Resolves when all have ended, or so many milliseconds later. */
  ended(limitMs: number): Promise<void> {
    if (this.#open.size === 0) return Promise.resolve()
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, limitMs)
      this.#onEmpty = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  destroy(): void {
    for (const socket of this.#open) socket.destroy()
  }
}
