/**
 * A transport between the threads of one process, over the MessagePorts of `node:worker_threads`.
 *
 * `docs/write-a-transport.md` builds it step by step.
 */
import { MessageChannel, MessagePort, threadId, type Worker } from 'node:worker_threads'
import {
  type Connection,
  checkCount,
  checkKeys,
  checkMilliseconds,
  isMessage,
  type Listener,
  LuciliusError,
  type Observer,
  type Receiver,
  type Transport,
} from 'lucilius/transport-kit'
import { refuse } from './frame.js'
import { Line } from './line.js'

/** What two threads hold from the start: a Worker and its `parentPort`, or the two ports of one MessageChannel. */
export type Door = Worker | MessagePort

/** Options of {@link messagePort}. */
export interface MessagePortOptions {
  /** Acts of one connection that may run at the same time: 1024. */
  readonly maxInFlight?: number
  /** Milliseconds in which the other thread has to answer when a connection is made: 5000. */
  readonly connectTimeoutMs?: number
}

/** Makes a transport to whoever is behind the door. Throws `LUC_OPTIONS_INVALID`. */
export function messagePort(door: Door, options: MessagePortOptions = {}): Transport {
  const given = checkKeys<MessagePortOptions>('messagePort', options, ['maxInFlight', 'connectTimeoutMs'])
  const { maxInFlight = 1024, connectTimeoutMs = 5000 } = given
  checkCount('messagePort', 'maxInFlight', maxInFlight, 1)
  checkMilliseconds('messagePort', 'connectTimeoutMs', connectTimeoutMs)
  return {
    name: 'message-port',
    audience: 'peers',
    local: true,
    listen: async (receiver) => listenAt(door, receiver, maxInFlight),
    connect: (observer) => connectThrough(door, observer, maxInFlight, connectTimeoutMs),
  }
}

/** What is sent through the door to make a connection: a port of its own, and who asks. */
interface Knock {
  readonly port: MessagePort
  readonly authorization: string | undefined
  readonly silent: boolean
}

/** Makes one attempt. The answer to a ping comes after what the other end told, or says why it refused. */
async function connectThrough(door: Door, observer: Observer, maxInFlight: number, ms: number): Promise<Connection> {
  const { port1, port2 } = new MessageChannel()
  const { authorization, silent = false } = observer
  const line = new Line(port1, maxInFlight, !silent, () => observer)
  door.postMessage({ port: port2, authorization, silent } satisfies Knock, [port2])
  const late = new LuciliusError('LUC_UNREACHABLE', `Nobody answered behind the door within ${ms} ms.`)
  const timer = setTimeout(() => line.end(late), ms)
  try {
    await line.ping()
    return line
  } finally {
    clearTimeout(timer)
  }
}

let listeners = 0

/** Lets in whoever knocks. */
function listenAt(door: Door, receiver: Receiver, maxInFlight: number): Listener {
  const lines = new Set<Line>()
  let closed = false
  const admit = async ({ port, authorization, silent }: Knock) => {
    const who = await receiver.authenticate({ headers: { authorization } })
    if (closed || receiver.draining) throw new LuciliusError('LUC_SERVICE_CLOSED', 'The listener is closing.')
    const isForPeers = receiver.audience === 'peers'
    if (!isForPeers && !silent) throw new LuciliusError('LUC_FORBIDDEN', "Listen with { audience: 'peers' } for apps.")
    const tells = isForPeers && !silent
    const line = new Line(port, maxInFlight, tells, (line) => receiver.accept(isForPeers ? line : undefined, who))
    lines.add(line)
    void line.ended.then(() => lines.delete(line))
  }
  const onMessage = (value: unknown) => {
    if (isKnock(value)) admit(value).catch((error: unknown) => refuse(value.port, error))
  }
  door.on('message', onMessage)
  return {
    url: `message-port:${threadId}.${++listeners}`,
    close: async () => {
      closed = true
      door.off('message', onMessage)
      await Promise.all([...lines].map((line) => line.close()))
    },
  }
}

/** Others may use the door for messages of their own. */
function isKnock(value: unknown): value is Knock {
  if (!isMessage(value) || !(value.port instanceof MessagePort)) return false
  return value.authorization === undefined || typeof value.authorization === 'string'
}
