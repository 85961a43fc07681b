import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { LOOPBACK } from './interface-of.js'

/** Where datagrams go, and who takes those that come. */
export interface MulticastPlace {
  /** The address of the multicast group. */
  readonly group: string
  readonly port: number
  /** The address of the interface. Undefined: the system chooses. */
  readonly interface: string | undefined
  readonly onDatagram: (datagram: Buffer) => void
  /** It cannot be used any more. */
  readonly onError: (error: unknown) => void
}

/** Sends to a multicast group, and nowhere else, and hears what others send there. */
export class MulticastSocket {
  readonly #place: MulticastPlace
  /** Its address is the group's, so that nothing comes that was sent to this machine alone. Windows has no such address. */
  readonly #receiving = createSocket({ type: 'udp4', reuseAddr: true })
  /** Apart, as a datagram cannot come from the address of a group. */
  readonly #sending = createSocket('udp4')
  #isOpen = false

  private constructor(place: MulticastPlace) {
    this.#place = place
    for (const socket of this.#sockets()) {
      socket.unref()
      socket.on('error', (error) => this.#isOpen && place.onError(error))
    }
    this.#receiving.on('message', place.onDatagram)
  }

  /** Rejects with an error of the system where there is no such interface or no network, or where the port is taken. */
  static async open(place: MulticastPlace): Promise<MulticastSocket> {
    const opened = new MulticastSocket(place)
    try {
      await opened.#open()
      opened.#isOpen = true
      return opened
    } catch (error) {
      opened.close()
      throw error
    }
  }

  /** Calls back with the error if the system does not take the datagram, once it has taken it with none. */
  send(datagram: Buffer, done: (error: unknown) => void): void {
    const { port, group } = this.#place
    this.#sending.send(datagram, port, group, done)
  }

  close(): void {
    this.#isOpen = false
    for (const socket of this.#sockets()) socket.removeAllListeners('message').close()
  }

  async #open(): Promise<void> {
    const { group, port, interface: address } = this.#place
    const every = process.platform === 'win32' ? {} : { address: group }
    await bound(this.#receiving, { port, ...every })
    this.#receiving.addMembership(group, address)
    await bound(this.#sending, { port: 0, ...(address === undefined ? {} : { address }) })
    if (address !== undefined) this.#sending.setMulticastInterface(address)
    this.#sending.setMulticastLoopback(true)
    // One hop: the network that the interface leads to. What is sent over loopback does not even leave the machine.
    this.#sending.setMulticastTTL(address === LOOPBACK ? 0 : 1)
  }

  #sockets(): readonly Socket[] {
    return [this.#receiving, this.#sending]
  }
}

/** Resolves once a socket has its address. */
async function bound(socket: Socket, at: { readonly port: number; readonly address?: string }): Promise<void> {
  socket.bind({ ...at, exclusive: true })
  await once(socket, 'listening')
}
