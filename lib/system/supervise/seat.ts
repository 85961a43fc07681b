import type { ProcessPlan } from '../topology.js'
import type { Child } from './child-process.js'
import { type End, EndedEarly } from './end.js'
import { type RestartLimits, Restarts } from './restarts.js'

/** What a seat needs of the whole. */
export interface SeatHost {
  /** Starts a process for a seat; `address` is its name in the address book. */
  launch(plan: ProcessPlan, address: string): Child
  /** A process died unasked, and is started again after a wait. */
  died(plan: ProcessPlan, end: End, waitMs: number): void
  /** A process has been replaced, and ended so. */
  replaced(plan: ProcessPlan, end: End): void
  /** A process died too often, or of something that no second try changes. */
  gaveUp(plan: ProcessPlan, end: End): void
}

/**
 * A place in the system that one process takes at a time, and that is kept taken: who dies is started again, who leaves
 * is replaced, and before it leaves where two of them can be there at once.
 */
export class Seat {
  readonly plan: ProcessPlan
  /** Resolves when a process of it is ready for the first time. */
  readonly ready: Promise<void>
  readonly #spare: string | undefined
  readonly #host: SeatHost
  readonly #restarts: Restarts
  /** Each process that is there, and its name in the address book. */
  readonly #names = new Map<Child, string>()
  /** Who holds the seat. */
  #holder: Child | undefined
  /** Who is starting and will take over. */
  #next: Child | undefined
  #timer: NodeJS.Timeout | undefined
  #rolling: Promise<void> | undefined
  #isOver = false
  /** A process of it has been ready. */
  #wasReady = false
  #nowReady: () => void = () => {}

  /**
   * `spare` is a second name for the address book, in use while a process and its replacement are both there; without one
   * the last process has to be gone before the next is started.
   */
  constructor(plan: ProcessPlan, spare: string | undefined, host: SeatHost, limits: RestartLimits) {
    this.plan = plan
    this.#spare = spare
    this.#host = host
    this.#restarts = new Restarts(limits)
    this.ready = new Promise((resolve) => {
      this.#nowReady = resolve
    })
  }

  /** The processes that are there: one, none while it waits for a restart, two during a replacement. */
  get children(): readonly Child[] {
    return [...this.#names.keys()]
  }

  /** Starts the process. */
  start(): void {
    this.#holder = this.#launch()
  }

  /** Replaces the process. Resolves when the new one is ready and the old one has ended; rejects with `EndedEarly`. */
  roll(): Promise<void> {
    this.#rolling ??= this.#replaceAll().finally(() => {
      this.#rolling = undefined
    })
    return this.#rolling
  }

  /** Nobody takes this place again. */
  retire(): void {
    this.#isOver = true
    clearTimeout(this.#timer)
  }

  /** Lets the process finish what runs and end, for good. Gives how it ended. */
  stop(): Promise<End[]> {
    this.retire()
    return Promise.all(this.children.map((child) => child.drain()))
  }

  /** Ends the process at once, for good. */
  async kill(): Promise<void> {
    this.retire()
    for (const child of this.children) child.kill()
    await Promise.all(this.children.map(({ ended }) => ended))
  }

  /** Who was told to end while it took over is replaced in its turn. */
  async #replaceAll(): Promise<void> {
    do await this.#replace()
    while (this.#holder?.leaving === true && !this.#isOver)
  }

  async #replace(): Promise<void> {
    const old = this.#holder
    if (old === undefined || this.#isOver) return
    if (this.#spare === undefined) {
      await this.#drain(old)
      // The end of the old one has started the new one.
      await this.#holder?.ready
      return
    }
    const next = this.#launch()
    this.#next = next
    await next.ready.catch((error) => {
      throw this.#holder === old && error instanceof EndedEarly ? this.#kept(old, error) : error
    })
    this.#next = undefined
    this.#holder = next
    await this.#drain(old)
  }

  /** Nothing takes the place of a process: it keeps it. */
  #kept(old: Child, { end }: EndedEarly): EndedEarly {
    if (this.#isOver) return new EndedEarly(end)
    if (old.leaving) old.stay()
    return new EndedEarly(end, true)
  }

  async #drain(old: Child): Promise<void> {
    if (!this.#names.has(old)) return // It died meanwhile, and drained nothing.
    const end = await old.drain()
    // What is left at the stop is told by the stop.
    if (!this.#isOver) this.#host.replaced(this.plan, end)
  }

  #launch(): Child {
    const isTaken = [...this.#names.values()].includes(this.plan.id)
    const address = isTaken ? (this.#spare ?? this.plan.id) : this.plan.id
    const child = this.#host.launch(this.plan, address)
    this.#names.set(child, address)
    void this.#follow(child)
    return child
  }

  async #follow(child: Child): Promise<void> {
    child.ready.then(
      () => {
        this.#restarts.ready()
        this.#wasReady = true
        this.#nowReady()
      },
      () => {}, // Its end comes below.
    )
    const end = await child.ended
    this.#names.delete(child)
    // A replacement that failed leaves the old one where it is.
    if (child === this.#next) this.#next = undefined
    if (child !== this.#holder) return
    this.#holder = this.#next
    this.#next = undefined
    if (this.#holder !== undefined || this.#isOver) return
    // One that leaves each time before it is ready has to wait like one that dies.
    if (child.leaving && end.wasReady) return this.start()
    this.#restart(end)
  }

  #restart(ended: End): void {
    const end = this.#judged(ended)
    const waitMs = end.failure?.final === true ? undefined : this.#restarts.died()
    if (waitMs === undefined) {
      this.#host.gaveUp(this.plan, end)
      return
    }
    this.#timer = setTimeout(() => this.start(), waitMs)
    this.#host.died(this.plan, end, waitMs)
  }

  /** The process before it may hold a port for a moment. Where there was none, somebody else has it, and keeps it. */
  #judged(end: End): End {
    const { failure } = end
    if (failure?.taken !== true || this.#wasReady) return end
    return { ...end, failure: { ...failure, final: true } }
  }
}
