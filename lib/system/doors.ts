import type { App } from '../app.js'
import { LuciliusError } from '../errors.js'
import type { Inventory } from '../host.js'
import { toPattern } from '../pattern.js'
import type { PatternList } from '../peers/exposure.js'
import type { Listener } from '../transport.js'
import { letsIn, othersOf } from './lets-in.js'
import type { Group, Outside } from './system.js'
import { transportNamed } from './transport-named.js'
import type { DirectName } from './transports-used.js'

/** A door to the outside that is open. */
export interface OpenDoor {
  readonly transport: DirectName
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
  /** The port that a door had when it was open: it is opened anew there. */
  readonly #ports = new Map<Outside, number>()
  #last: Promise<void> = Promise.resolve()

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
   * address. One call after another. Rejects with `LUC_LISTEN_FAILED`, which names the door, the port and what the system said.
   */
  adjust(inventory: Pick<Inventory, 'actions'>, ownerOf: (plugin: string) => string): Promise<void> {
    const done = this.#last.then(() => this.#adjust(inventory, ownerOf))
    this.#last = done.catch(() => {}) // Whoever waits for it hears of it.
    return done
  }

  async #adjust(inventory: Pick<Inventory, 'actions'>, ownerOf: (plugin: string) => string): Promise<void> {
    for (const door of this.#outside) {
      const open = this.#open.get(door)
      const expose = exposed(door, this.#group, inventory, ownerOf)
      if (open !== undefined && String(open.expose) === String(expose)) continue
      await open?.listener.close()
      this.#open.delete(door)
      const port = this.#ports.get(door) ?? door.port
      const listener = await this.#listen({ ...door, port, expose })
      this.#ports.set(door, Number(new URL(listener.url).port))
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

/** What a door lets in: what it says, or, if it leaves something of that out, the actions that are there by now. */
function exposed(
  door: Outside,
  group: Group,
  { actions }: Pick<Inventory, 'actions'>,
  ownerOf: (plugin: string) => string,
): PatternList {
  if (othersOf(door, group).length === 0) return door.expose
  const lets = letsIn(door, group)
  const now = actions.filter(({ pattern, service }) => lets(toPattern(pattern), ownerOf(service)))
  return [...new Set(now.map(({ pattern }) => pattern))].sort()
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
