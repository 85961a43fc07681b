import type { FastifyRequest } from 'fastify'
import type { Observer, Receiver } from '../../../lib/transport-kit.js'
import type { Settings } from '../options.js'
import type { SocketLoads } from './load.js'
import type { PeerStreams } from './peer-streams.js'

/** What the routes of one listener share. */
export interface Door {
  readonly settings: Settings
  readonly receiver: Receiver
  /** Answers whoever holds no stream: every client, and a peer that cannot tell what it is. */
  readonly anybody: Observer
  readonly streams: PeerStreams
  readonly sockets: SocketLoads
  /** On whose behalf a request comes, where `authenticate` gave somebody. */
  readonly identities: WeakMap<FastifyRequest, unknown>
  /** The routes stand in an app of somebody else, whose hooks see every answer. */
  readonly isMounted: boolean
  /** The listener was closed by itself, without its app. */
  closed: boolean
}

/** Whether nothing new is taken: every answer then asks the other side to close its socket. */
export function isLeaving({ receiver, closed }: Door): boolean {
  return closed || receiver.draining
}
