import type { Socket } from 'node:net'

/** How many messages of one peer, or of one socket, run. */
export interface Load {
  running: number
}

/** The loads of sockets whose other end holds no stream. */
export class SocketLoads {
  readonly #loads = new WeakMap<Socket, Load>()

  of(socket: Socket): Load {
    const known = this.#loads.get(socket)
    if (known !== undefined) return known
    const load: Load = { running: 0 }
    this.#loads.set(socket, load)
    return load
  }
}
