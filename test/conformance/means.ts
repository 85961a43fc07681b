import type { Connection, Observer, Transport } from '../../lib/transport-kit.js'

/** How the suite reaches one app from another. One small object per transport is all that it has to be told. */
export interface Means {
  /** Makes the listening end of a new address. */
  listen(): Transport
  /** Makes the connecting end of a listener's address. */
  connect(url: string): Transport
  /** Whether the connecting side may expose, too. Otherwise the suite lets both sides listen. */
  readonly exposesOnConnect: boolean
  /** Cuts a connection without a goodbye. Closing it does, unless the transport has something ruder. */
  cut?(connection: Connection): Promise<void>
}

/** A transport of which the connections can be cut under the app. */
export interface Cuttable extends Transport {
  /** Cuts what is connected. */
  cut(): Promise<void>
  /** Lets no new connection come about until `heal` is called. */
  block(): void
  heal(): void
  /** Keeps what the other side tells, until `release` is called. */
  hold(): void
  release(): void
}

/** Keeps hold of the connections that a transport makes. */
export function cuttable(transport: Transport, means: Means): Cuttable {
  const connections = new Set<Connection>()
  const news: (() => void)[] = []
  let blocked = false
  let held = false

  /** An observer that hears late. */
  const late = (observer: Observer): Observer => ({
    tell: () => observer.tell(),
    onTell: (changed) => observer.onTell(changed),
    hear: (told) => {
      if (held) news.push(() => observer.hear(told))
      else observer.hear(told)
    },
    receive: (envelope, call) => observer.receive(envelope, call),
    lost: () => observer.lost(),
  })

  return {
    name: transport.name,
    listen: (receiver) => transport.listen(receiver),
    connect: async (observer) => {
      if (blocked) throw new Error('The line is cut.')
      const connection = await transport.connect(late(observer))
      connections.add(connection)
      return connection
    },
    cut: async () => {
      const all = [...connections]
      connections.clear()
      await Promise.all(all.map((one) => (means.cut === undefined ? one.close() : means.cut(one))))
    },
    block: () => {
      blocked = true
    },
    heal: () => {
      blocked = false
    },
    hold: () => {
      held = true
    },
    release: () => {
      held = false
      for (const tell of news.splice(0)) tell()
    },
  }
}
