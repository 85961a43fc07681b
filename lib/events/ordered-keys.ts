/** What is of one key, in order: the first runs, waits for its turn, or rests until another try. */
interface Lane<T> {
  readonly key: string
  readonly works: T[]
  state: 'running' | 'waiting' | 'resting'
}

/**
 * Lets work of one key go one after the other and work of different keys side by side, so much of it at once. What rests
 * keeps its key, and takes nobody else's place.
 */
export class OrderedKeys<T> {
  readonly #lanes = new Map<string, Lane<T>>()
  #waiting: Lane<T>[] = []
  readonly #start: (work: T) => void
  #free: number
  #isClosed = false

  /** `start` is called when the turn of a work has come; `rest` or `leave` ends that. */
  constructor(concurrency: number, start: (work: T) => void) {
    this.#free = concurrency
    this.#start = start
  }

  /** Whether a work of this key would start at once. */
  isFree(key: string): boolean {
    return this.#free > 0 && !this.#lanes.has(key)
  }

  enter(key: string, work: T): void {
    const lane = this.#lanes.get(key)
    if (lane !== undefined) {
      lane.works.push(work)
      return
    }
    const own: Lane<T> = { key, works: [work], state: 'waiting' }
    this.#lanes.set(key, own)
    this.#ask(own)
  }

  /** The running work of a key waits for another try. */
  rest(key: string): void {
    const lane = this.#lanes.get(key)
    if (lane?.state !== 'running') return
    lane.state = 'resting'
    this.#release()
  }

  /** It wants its turn again. */
  wake(key: string): void {
    const lane = this.#lanes.get(key)
    if (lane?.state === 'resting') this.#ask(lane)
  }

  /** The running work of a key has ended: the next one goes. Once this is closed it gives those instead, in order. */
  leave(key: string): T[] {
    const lane = this.#lanes.get(key)
    if (lane?.state !== 'running') return []
    lane.works.shift()
    if (lane.works.length > 0 && !this.#isClosed) {
      lane.state = 'waiting'
      this.#waiting.push(lane)
    } else {
      this.#lanes.delete(key)
    }
    this.#release()
    return this.#isClosed ? lane.works : []
  }

  /** Starts nothing more, and gives what is of keys of which nothing runs, in order; the rest comes with `leave`. */
  close(): T[] {
    this.#isClosed = true
    this.#waiting = []
    const idle = [...this.#lanes.values()].filter(({ state }) => state !== 'running')
    for (const { key } of idle) this.#lanes.delete(key)
    return idle.flatMap(({ works }) => works)
  }

  #ask(lane: Lane<T>): void {
    lane.state = 'waiting'
    if (this.#free > 0) this.#run(lane)
    else this.#waiting.push(lane)
  }

  #release(): void {
    this.#free++
    const next = this.#waiting.shift()
    if (next !== undefined) this.#run(next)
  }

  #run(lane: Lane<T>): void {
    this.#free--
    lane.state = 'running'
    // A lane that wants its turn has somebody in it.
    this.#start(lane.works[0] as T)
  }
}
