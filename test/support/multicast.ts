import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'
import type { MulticastDiscovery } from '../../lib/system/system.js'

/** A place to announce at that nobody else uses: everything sent there stays on 127.0.0.1. */
export async function freeMulticast(): Promise<MulticastDiscovery> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1')
  await once(socket, 'listening')
  const { port } = socket.address() as AddressInfo
  socket.close()
  await once(socket, 'close')
  return { group: '239.255.76.86', port }
}

/** Somebody on the network who sends anything, and hears everything. */
export interface Stranger {
  readonly heard: Buffer[]
  /** Resolves once the system has taken it. */
  send(datagram: string | Buffer): Promise<void>
}

/** Opens a socket on loopback, from an address of its own. */
export async function stranger(t: Test, { group, port }: MulticastDiscovery, address = '127.0.0.1'): Promise<Stranger> {
  const receiving = createSocket({ type: 'udp4', reuseAddr: true })
  const sending = createSocket('udp4')
  t.teardown(() => {
    receiving.close()
    sending.close()
  })
  receiving.bind(port, group)
  await once(receiving, 'listening')
  receiving.addMembership(group, '127.0.0.1')
  sending.bind(0, address)
  await once(sending, 'listening')
  sending.setMulticastInterface('127.0.0.1')
  sending.setMulticastTTL(0)
  const heard: Buffer[] = []
  receiving.on('message', (datagram) => void heard.push(datagram))
  return {
    heard,
    send: (datagram) =>
      new Promise((resolve, reject) => {
        sending.send(datagram, port, group, (error) => (error ? reject(error) : resolve()))
      }),
  }
}
