import type { App } from '../app.js'
import { LuciliusError } from '../errors.js'
import type { Inventory } from '../host.js'
import { toPattern } from '../pattern.js'
import { type PatternList, toExposure } from '../peers/exposure.js'
import type { Listener } from '../transport.js'
import type { Group, Outside } from './system.js'
import { type TransportName, transportNamed } from './transport-named.js'

/** A door to the outside that is open. */
export interface OpenDoor {
  readonly transport: TransportName
  /** Where clients connect to. */
  readonly url: string
  /** The actions that are let in. */
  readonly expose: PatternList
}

/** The doors of a process to the outside. They are closed with the app. */
export class Doors {
  readonly #app: App
  readonly #group: Group
  readonly #outside: readonly Outside[]
  readonly #open = new Map<Outside, OpenDoor & { readonly listener: Listener }>()

  constructor(app: App, group: Group, outside: readonly Outside[]) {
    this.#app = app
    this.#group = group
    this.#outside = outside
  }

  get open(): readonly OpenDoor[] {
    return [...this.#open.values()].map(({ transport, url, expose }) => ({ transport, url, expose }))
  }

  /**
   * Opens them one after another; those that are open and would let in something else by now are opened anew, at the same
   * address. Rejects with `LUC_LISTEN_FAILED`, which names the door, the port and what the system said.
   */
  async adjust(inventory: Pick<Inventory, 'actions'>, ownerOf: (plugin: string) => string): Promise<void> {
    for (const door of this.#outside) {
      const open = this.#open.get(door)
      const expose = letIn(door, this.#group, inventory, ownerOf)
      if (open !== undefined && String(open.expose) === String(expose)) continue
      await open?.listener.close()
      const port = open === undefined ? door.port : Number(new URL(open.url).port)
      const listener = await this.#listen({ ...door, port, expose })
      this.#open.set(door, { transport: door.transport, url: listener.url, expose, listener })
    }
  }

  async #listen({ transport, port, host, origins, expose, events, auth }: Outside): Promise<Listener> {
    const make = await transportNamed(transport)
    const options = {
      audience: 'clients' as const,
      expose,
      ...(events === undefined ? {} : { events }),
      ...(auth === undefined ? {} : { auth }),
    }
    try {
      return await this.#app.listen(make({ port, host, origins }), options)
    } catch (error) {
      throw notOpen(`The ${transport} door of '${this.#group.name}'`, { host, port }, error)
    }
  }
}

/**
 * What a door lets in. Where one process opens the doors of several groups, each lets in the actions that are there by
 * now, but for those of services of other groups, as it does when they run apart.
 */
function letIn(
  { expose, services }: Outside,
  group: Group,
  { actions }: Pick<Inventory, 'actions'>,
  ownerOf: (plugin: string) => string,
): PatternList {
  const others = services === undefined ? [] : group.services.filter((name) => !services.includes(name))
  if (others.length === 0) return expose
  const exposure = toExposure('outside', expose, {})
  const isLetIn = ({ pattern, service }: Inventory['actions'][number]) =>
    !others.includes(ownerOf(service)) && exposure.action(toPattern(pattern))
  return [...new Set(actions.filter(isLetIn).map(({ pattern }) => pattern))].sort()
}

/** What kept a listener from opening, with its name, port and the system's own word; any other error as it is. */
export function notOpen(
  what: string,
  { host, port }: { readonly host: string; readonly port: number },
  error: unknown,
): unknown {
  if (!(error instanceof LuciliusError) || error.code !== 'LUC_LISTEN_FAILED') return error
  const code = (error.cause as NodeJS.ErrnoException | undefined)?.code
  const why = code === undefined ? error.message : `${code}: ${reasons[code] ?? 'the system refuses'}.`
  return new LuciliusError('LUC_LISTEN_FAILED', `${what} cannot open on port ${port} of ${host}: ${why}`, {
    cause: error,
  })
}

const reasons: { readonly [code: string]: string } = {
  EADDRINUSE: 'it is taken. Take another one, or 0 for any that is free',
  EACCES: 'this user may not listen there. Ports from 1024 are free for all',
  EADDRNOTAVAIL: 'this machine has no such address',
  ENOTFOUND: 'there is no host of that name',
}
