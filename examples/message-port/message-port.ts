/**
 * A transport between the threads of one process, over the MessagePorts of `node:worker_threads`.
 *
 * docs/write-a-transport.md builds it step by step.
 */
import { MessageChannel, MessagePort, threadId, type Worker } from 'node:worker_threads'
import {
  type Call,
  type Connection,
  checkCount,
  checkKeys,
  checkMilliseconds,
  decodeEnvelope,
  decodeJson,
  decodeOutcome,
  type Envelope,
  encodeEnvelope,
  encodeJson,
  encodeOutcome,
  isMessage,
  type Listener,
  LuciliusError,
  type Observer,
  type Outcome,
  type Receiver,
  type Transport,
} from 'lucilius/transport-kit'

/** Options of {@link messagePort}. */
export interface MessagePortOptions {
  /** Acts of one connection that may run at the same time: 1024. */
  readonly maxInFlight?: number
  /** Milliseconds in which the other thread has to answer when a connection is made: 5000. */
  readonly connectTimeoutMs?: number
}

/** What two threads hold from the start: a Worker and its `parentPort`, or the two ports of one MessageChannel. */
export type Door = Worker | MessagePort

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

let listeners = 0

/** Takes in everybody who sends a port through the door. */
function listenAt(door: Door, receiver: Receiver, maxInFlight: number): Listener {
  const lines = new Set<Line>()
  const knock = async (hello: unknown) => {
    if (!isMessage(hello) || !(hello['port'] instanceof MessagePort)) return
    const { port, authorization, silent } = hello
    try {
      const who = await receiver.authenticate({ headers: { authorization } })
      if (closed || receiver.draining) throw new LuciliusError('LUC_SERVICE_CLOSED', 'The listener is closing.')
      const isPeer = receiver.audience === 'peers'
      if (!isPeer && silent !== true) throw new LuciliusError('LUC_FORBIDDEN', CLIENTS_ONLY)
      const attach = (line: Line) => receiver.accept(isPeer ? line : undefined, who)
      const line = new Line(port, maxInFlight, silent !== true, attach)
      lines.add(line)
      void line.ended.then(() => lines.delete(line))
    } catch (error) {
      refuse(port, error)
    }
  }
  let closed = false
  door.on('message', knock)
  return {
    url: `message-port:${threadId}.${++listeners}`,
    close: async () => {
      closed = true
      door.off('message', knock)
      await Promise.all([...lines].map((line) => line.close()))
    },
  }
}
