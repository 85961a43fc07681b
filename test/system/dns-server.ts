import { createSocket, type RemoteInfo } from 'node:dgram'
import { type Answer, decode, encode, type Packet } from 'dns-packet'

/** Answers a question: with records, with a code such as `SERVFAIL`, with bytes as they are, or not at all. */
export type Reply = readonly Answer[] | 'NXDOMAIN' | 'SERVFAIL' | 'REFUSED' | Uint8Array | undefined

/** A DNS server on loopback that says what a test lets it say. */
export interface DnsServer {
  readonly address: string
  /** The questions that came, `A rates.test`. */
  readonly asked: readonly string[]
  /** Says what is answered from now on, by type. */
  answer(reply: (type: string, name: string) => Reply): void
  close(): Promise<void>
}

const codes = { NXDOMAIN: 3, SERVFAIL: 2, REFUSED: 5 } as const

/** Starts one, on a port that is free or on a given one. */
export async function startDns(port = 0): Promise<DnsServer> {
  const socket = createSocket('udp4')
  const asked: string[] = []
  let reply: (type: string, name: string) => Reply = () => []
  socket.on('message', (bytes, from) => {
    const packet = decode(bytes)
    const { type = '', name = '' } = packet.questions?.[0] ?? {}
    asked.push(`${type} ${name}`)
    send(packet, reply(type, name), from)
  })
  const send = (question: Packet, said: Reply, from: RemoteInfo) => {
    if (said !== undefined) socket.send(toBytes(question, said), from.port, from.address)
  }
  await new Promise<void>((resolve) => socket.bind(port, '127.0.0.1', resolve))
  return {
    address: `127.0.0.1:${socket.address().port}`,
    asked,
    answer: (next) => {
      reply = next
    },
    close: () => new Promise((resolve) => socket.close(() => resolve())),
  }
}

function toBytes({ id, questions = [] }: Packet, said: NonNullable<Reply>): Uint8Array {
  if (said instanceof Uint8Array) return Buffer.concat([Buffer.from([(id ?? 0) >> 8, (id ?? 0) & 255]), said])
  const [flags, answers] = typeof said === 'string' ? [codes[said], []] : [0, [...said]]
  return encode({ type: 'response', id: id ?? 0, flags, questions, answers })
}

/** An A or AAAA record. */
export function host(name: string, data: string, ttl = 30): Answer {
  return { type: data.includes(':') ? 'AAAA' : 'A', name, data, ttl }
}

/** An SRV record. */
export function service(name: string, target: string, port: number): Answer {
  return { type: 'SRV', name, ttl: 30, data: { target, port } }
}
