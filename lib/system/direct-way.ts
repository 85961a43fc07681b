import type { App } from '../app.js'
import type { Auth } from '../auth.js'
import type { Logger } from '../logger.js'
import type { AddressBook } from './address-book.js'
import { notOpen } from './doors.js'
import { inLane, type Lane } from './lane.js'
import { late } from './late.js'
import type { ProcessPlan } from './topology.js'
import { transportNamed } from './transport-named.js'
import type { DirectName } from './transports-used.js'
import type { Way } from './way.js'

/** What a process needs to have a connection with each of the others. */
export interface DirectWayOptions {
  readonly name: DirectName
  readonly process: ProcessPlan
  readonly addresses: AddressBook
  /** Whether a process is one to be met: some are not linked, and of some nobody will know where they are. */
  readonly isPartner: (id: string) => boolean
  readonly auth: Auth
  /** What goes over it; everything if undefined. */
  readonly lane: Lane | undefined
  readonly log: Logger
}

/** Listens on a port, and connects to the address of each of the others, which may come late and change. */
export class DirectWay implements Way {
  readonly #options: DirectWayOptions
  readonly name: DirectName
  url: string | undefined
  /** What kept it from listening, as it should be told. */
  failure: unknown
  readonly #known = new Map<string, Promise<void>>()
  /** What ends the wait for each of them. */
  readonly #found = new Set<() => void>()
  #stop = () => {}

  constructor(options: DirectWayOptions) {
    this.#options = options
    this.name = options.name
  }

  async known(): Promise<void> {
    await Promise.all(this.#known.values())
  }

  async open(app: App): Promise<void> {
    const { addresses } = this.#options
    await this.#listen(app)
    for (const id of addresses.ids()) await this.#meet(app, id)
    this.#stop = addresses.onId((id) => void this.#meet(app, id).catch(() => {})) // it rejects once the app is closed
  }

  async end(): Promise<void> {
    this.#stop()
    for (const found of this.#found) found()
  }

  async #listen(app: App): Promise<void> {
    const { name, process, auth, lane } = this.#options
    const { port, group } = process
    const { host } = group.listen
    const make = await transportNamed(name)
    const transport = make({ port, host })
    const everything = { expose: '*', events: { in: '*', out: '*' } } as const
    try {
      const listening = lane === undefined ? transport : inLane(transport, lane)
      const { url } = await app.listen(listening, { ...everything, audience: 'peers', auth })
      this.url = url
    } catch (error) {
      this.failure = notOpen(`The listener of '${process.id}' for its peers`, { host, port }, error)
      throw this.failure
    }
  }

  async #meet(app: App, id: string): Promise<void> {
    const { name, addresses, isPartner, auth, lane, log } = this.#options
    if (!isPartner(id)) return
    const make = await transportNamed(name)
    let onFound = () => {}
    const found = new Promise<void>((resolve) => {
      onFound = resolve
    })
    this.#known.set(id, found)
    this.#found.add(onFound)
    const to = (url: string) => (lane === undefined ? make({ url }) : inLane(make({ url }), lane))
    await app.connect(late({ id, name, addresses, to, log, onFound }), { auth, wait: false })
  }
}
