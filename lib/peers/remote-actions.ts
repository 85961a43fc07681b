import type { Action } from '../dispatch/action.js'
import type { Dispatcher } from '../dispatch/dispatcher.js'
import type { Handler } from '../handler.js'
import type { Logger } from '../logger.js'
import type { Pattern } from '../pattern.js'
import type { Heard } from './announcement.js'
import type { Carrier } from './carrier.js'
import type { Peer } from './peer.js'
import type { RemoteAction } from './remote-action.js'

/** What peers announced, as actions of the one router. */
export class RemoteActions {
  readonly #known = new Map<string, RemoteAction>()
  readonly #dispatcher: Dispatcher
  readonly #carrier: Carrier
  readonly #log: Logger
  #order = 0

  constructor(dispatcher: Dispatcher, carrier: Carrier, log: Logger) {
    this.#dispatcher = dispatcher
    this.#carrier = carrier
    this.#log = log
  }

  /** Makes the actions of a peer those that it announced: new ones come, withdrawn ones go at once. */
  update(peer: Peer, announced: Heard['actions']): void {
    const keys = new Set(announced.map(({ pattern, service }) => keyOf(pattern, service)))
    this.#withdraw(peer, (key) => !keys.has(key))
    for (const { pattern, service, idempotent } of announced) this.#announce(peer, pattern, service, idempotent)
  }

  /** Takes a peer out of everything it answered. */
  forget(peer: Peer): void {
    this.#withdraw(peer, () => true)
  }

  #announce(peer: Peer, pattern: Pattern, service: string, idempotent: boolean): void {
    const key = keyOf(pattern, service)
    const known = this.#known.get(key)
    if (known !== undefined) {
      if (!known.peers.includes(peer)) known.peers.push(peer)
      note(known, peer, idempotent)
      return
    }
    this.#warnOfClash(pattern, service)
    const handler: Handler = (message, context) => this.#carrier.carry(remote, message, context)
    const action = this.#actionOf(peer, pattern, service, handler)
    const remote: RemoteAction = { action, peers: [peer], turn: 0, once: new Set(), idempotent }
    note(remote, peer, idempotent)
    this.#known.set(key, remote)
    this.#dispatcher.composition.add(remote.action)
  }

  #actionOf(peer: Peer, pattern: Pattern, service: string, handler: Handler): Action {
    return {
      pattern,
      service,
      options: {},
      handler,
      remote: peer.info.name,
      log: this.#log,
      order: ++this.#order,
      timeoutMs: Number.POSITIVE_INFINITY,
      run: handler,
      outer: undefined,
      abandoned: 0,
    }
  }

  #withdraw(peer: Peer, gone: (key: string) => boolean): void {
    for (const [key, remote] of this.#known) {
      const index = remote.peers.indexOf(peer)
      if (index < 0 || !gone(key)) continue
      remote.peers.splice(index, 1)
      note(remote, peer, true)
      if (remote.peers.length > 0) continue
      this.#known.delete(key)
      this.#dispatcher.actions.remove(remote.action)
    }
  }

  #warnOfClash(pattern: Pattern, service: string): void {
    const slot = this.#dispatcher.actions.router.get(pattern.text)
    if (slot === undefined || slot.top.service === service) return
    const first =
      slot.local.length > 0 ? `'${slot.top.service}', which runs here,` : `'${[slot.top.service, service].sort()[0]}'`
    this.#log.warn(
      { pattern: pattern.text, services: [slot.top.service, service] },
      `services '${slot.top.service}' and '${service}' both answer ${pattern.text}: ${first} is asked first`,
    )
  }
}

/** Takes in what a peer says of running the action twice; one that has gone has nothing against it. */
function note(remote: RemoteAction, peer: Peer, idempotent: boolean): void {
  if (idempotent) remote.once.delete(peer)
  else remote.once.add(peer)
  remote.idempotent = remote.once.size === 0
}

function keyOf(pattern: Pattern, service: string): string {
  return JSON.stringify([service, pattern.text])
}
