import { LuciliusError } from '../../errors.js'
import { AddressBook } from '../address-book.js'
import type { ParentMessage } from '../ipc.js'
import type { LookOn, PassedBatch } from '../passing.js'
import { noStore, type StoreQuestion } from '../store-questions.js'
import type { ProcessPlan } from '../topology.js'
import { Child } from './child-process.js'
import { describeHung, type End, EndedEarly } from './end.js'
import { restartLimits } from './restarts.js'
import { Seat, type SeatHost } from './seat.js'
import type { Hung, SupervisedProcess, SupervisorOptions } from './supervision.js'

/** Runs one child for each process plan, tells each where the others are, and keeps them running. */
export class Supervisor {
  /** Where the processes are: what their peers are told. */
  readonly addresses = new AddressBook()
  readonly #options: SupervisorOptions
  readonly #seats: readonly Seat[]
  /** Under which name others find a child. */
  readonly #own = new WeakMap<Child, string>()
  /** Who wants to know what passes in the processes. */
  readonly #hearers = new Set<(batch: PassedBatch) => void>()
  #stopped: Promise<Hung[]> | undefined
  #rolled: Promise<void> = Promise.resolve()

  constructor(options: SupervisorOptions) {
    this.#options = options
    const host: SeatHost = {
      launch: (plan, address) => this.#launch(plan, address),
      died: (plan, end, waitMs) => options.on.died(plan.id, end, waitMs),
      replaced: (plan, end) => {
        for (const { id, what } of hungOf(plan, [end])) options.on.hung?.(id, what)
      },
      gaveUp: (plan, end) => options.on.gaveUp(plan.id, end),
    }
    const limits = options.limits ?? restartLimits
    this.#seats = options.processes.map((plan) => {
      const spare = options.overlaps(plan) ? spareAddress(plan, options.processes) : undefined
      return new Seat(plan, spare, host, limits)
    })
  }

  /** The processes that are there by now. */
  get processes(): readonly SupervisedProcess[] {
    return this.#seats.flatMap(({ plan, children }) =>
      children.map(({ pid, isReady, url, doors }) => ({
        id: plan.id,
        group: plan.group.name,
        pid,
        isReady,
        url,
        doors,
      })),
    )
  }

  /** Starts all at once. Resolves when each has been ready; never, if one is given up. */
  async start(): Promise<void> {
    for (const seat of this.#seats) seat.start()
    await Promise.all(this.#seats.map(({ ready }) => ready))
  }

  /**
   * Replaces the processes (those named, or all) one after the other, after what is being replaced already. Rejects with
   * the first that could not be: an `EndedEarly`, which says whether the old process stays.
   */
  roll(ids?: readonly string[]): Promise<void> {
    const rolled = this.#rolled.then(() => this.#roll(ids))
    this.#rolled = rolled.catch(() => {}) // Whoever asked hears of it.
    return rolled
  }

  /** Tells every process that files have changed. */
  changed(files: readonly string[]): void {
    for (const { children } of this.#seats) for (const child of children) child.tell({ type: 'changed', files })
  }

  /** Tells of what passes in all processes, those that start later included. None tells while nobody wants to know. */
  readonly lookOn: LookOn = (hear) => {
    const own = (batch: PassedBatch) => hear(batch)
    this.#hearers.add(own)
    return {
      begun: this.#lookOn(true),
      stop: async () => {
        await this.#lookOn(true) // what was gathered is told first
        if (this.#hearers.delete(own) && this.#hearers.size === 0) void this.#lookOn(false)
      },
    }
  }

  /** The id of the process that peers know by this id of an instance. */
  idOf(instance: string): string | undefined {
    return this.#seats.find(({ children }) => children.some((child) => child.instance === instance))?.plan.id
  }

  /**
   * Asks the store of the system, by the first process that has it open. Rejects with what the store says, with
   * `LUC_STORE_REQUIRED` if no process has one, and with `LUC_UNREACHABLE` if none is ready.
   */
  async ask(question: StoreQuestion): Promise<unknown> {
    const ready = this.#seats.flatMap(({ children }) => children.filter(({ isReady }) => isReady))
    for (const child of ready) {
      try {
        return await child.ask(question)
      } catch (error) {
        if (!(error instanceof LuciliusError && error.code === 'LUC_STORE_REQUIRED')) throw error
      }
    }
    throw ready.length === 0 ? new LuciliusError('LUC_UNREACHABLE', 'No process is ready: ask again.') : noStore()
  }

  /** Drains the groups one after the other, in their order. Resolves, once for all, when no process is left. */
  stop(): Promise<readonly Hung[]> {
    this.#stopped ??= this.#stop()
    return this.#stopped
  }

  /** Ends all processes at once. Resolves when they are gone. */
  async kill(): Promise<void> {
    await Promise.all(this.#seats.map((seat) => seat.kill()))
  }

  async #roll(ids: readonly string[] | undefined): Promise<void> {
    for (const seat of this.#seats) {
      if (ids === undefined || ids.includes(seat.plan.id)) await seat.roll()
    }
  }

  async #stop(): Promise<Hung[]> {
    const hung: Hung[] = []
    const [, ...later] = this.#options.order()
    const named = later.flat()
    const waves = [
      (group: string) => !named.includes(group),
      ...later.map((names) => (group: string) => names.includes(group)),
    ]
    // Nobody is started again from here on.
    for (const seat of this.#seats) seat.retire()
    for (const isOf of waves) {
      const wave = this.#seats.filter(({ plan }) => isOf(plan.group.name))
      await Promise.all(wave.map(async (seat) => hung.push(...hungOf(seat.plan, await seat.stop()))))
    }
    return hung
  }

  #launch(plan: ProcessPlan, address: string): Child {
    const { launch, on } = this.#options
    const { id } = plan
    const child: Child = new Child(launch(plan), {
      line: (line, stream) => on.line(id, line, stream),
      withdrawn: () => this.#note(address, undefined),
      told: (message) => {
        if (message.type === 'listening' && !child.isWithdrawn) this.#note(address, message.url)
        if (message.type === 'ready') on.ready(id, { pid: child.pid, doors: message.doors })
        if (message.type === 'files') on.files?.(id, message.files)
        if (message.type === 'sent') on.sent?.(id, message.sending)
        if (message.type === 'leaving') this.#replace(id)
        if (message.type === 'passed') for (const hear of this.#hearers) hear({ ...message.batch, process: id })
      },
    })
    this.#own.set(child, address)
    child.tell(this.#othersThan(child))
    if (this.#hearers.size > 0) void child.lookOn(true)
    return child
  }

  /** Has all tell what passes, or none. Gives the ids of those that do as they are told. */
  async #lookOn(on: boolean): Promise<readonly string[]> {
    const told = this.#seats.flatMap(({ plan, children }) =>
      children.map(async (child) => ((await child.lookOn(on)) ? [plan.id] : [])),
    )
    return [...new Set((await Promise.all(told)).flat())]
  }

  /** A process was told from outside to end: another one takes its place. */
  #replace(id: string): void {
    if (this.#stopped !== undefined) return // Its turn comes.
    this.#options.on.leaving(id)
    const seat = this.#seats.find(({ plan }) => plan.id === id)
    seat?.roll().catch((error) => {
      // Where the old process is gone, the seat has told of the death of the new one.
      if (error instanceof EndedEarly && error.oldStays) this.#options.on.stayed(id, error)
    })
  }

  /** Notes where a process is, or that it is gone, and tells all. */
  #note(address: string, url: string | undefined): void {
    this.addresses.set(address, url)
    for (const { children } of this.#seats) for (const child of children) child.tell(this.#othersThan(child))
  }

  #othersThan(child: Child): ParentMessage {
    const own = this.#own.get(child)
    const known = this.addresses.ids().flatMap((id) => {
      const url = this.addresses.urlOf(id)
      return url === undefined || id === own ? [] : [[id, url] as const]
    })
    return { type: 'addresses', addresses: Object.fromEntries(known) }
  }
}

/** The name of a replica that there is not: peers see by it which group a process belongs to. */
function spareAddress({ group, replica }: ProcessPlan, processes: readonly ProcessPlan[]): string {
  const replicas = processes.filter((other) => other.group.name === group.name).length
  return `${group.name}.${replica + replicas}`
}

function hungOf({ id }: ProcessPlan, ends: readonly End[]): Hung[] {
  return ends.flatMap((end) => {
    const what = describeHung(end)
    return what === undefined ? [] : [{ id, what }]
  })
}
