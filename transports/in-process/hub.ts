import {
  type Connection,
  type Credentials,
  type Listener,
  LuciliusError,
  type Observer,
  type Receiver,
} from '../../lib/transport-kit.js'
import { Link } from './link.js'

/** A listener of this process and its links. */
export interface Hub {
  readonly receiver: Receiver
  readonly links: Set<Link>
}

/** The listeners of this process by address: what a port table is to sockets. */
const hubs = new Map<string, Hub>()

/** Starts to listen. Throws `LUC_LISTEN_FAILED` if somebody does so already. */
export function openHub(url: string, receiver: Receiver): Listener {
  if (hubs.has(url)) {
    throw new LuciliusError('LUC_LISTEN_FAILED', `${url} is taken: make a transport of its own for each listener.`)
  }
  const hub: Hub = { receiver, links: new Set() }
  hubs.set(url, hub)
  return {
    url,
    close: async () => {
      if (hubs.get(url) === hub) hubs.delete(url)
      for (const link of hub.links) link.close()
    },
  }
}

/** The listener at an address. Throws `LUC_UNREACHABLE`. */
export function hubOf(url: string): Hub {
  const hub = hubs.get(url)
  if (hub !== undefined) return hub
  throw new LuciliusError('LUC_UNREACHABLE', `Nobody listens at ${url} in this process.`)
}

/**
 * Links an observer to a listener. Both have told what they are when it returns, unless the one cannot tell. Throws
 * `LUC_FORBIDDEN` where only clients are served, who learn nothing and are not listened to.
 */
export function joinTo(hub: Hub, observer: Observer, who: Credentials): Connection {
  const isSilent = observer.silent === true
  if (hub.receiver.audience === 'clients' && !isSilent) {
    throw new LuciliusError('LUC_FORBIDDEN', "This listener serves clients. Open it with { audience: 'peers' }.")
  }
  const link = new Link((there) => hub.receiver.accept(there, who), observer)
  hub.links.add(link)
  link.onClosed = () => hub.links.delete(link)
  if (!isSilent) link.open()
  return link.near
}
