import type { PeerInfo } from '../handler.js'
import type { Logger } from '../logger.js'

/** Milliseconds for which there may be two: whoever takes the place of another one meets it before that is gone. */
const OVERLAP_MS = 1000

/** Of what there is to be one, and who looks. */
export interface SecondOnesOptions {
  /** The group of this process. */
  readonly group: string
  /** Its services of which there is to be one in the whole system. */
  readonly singletons: readonly string[]
  /** The id of this process. */
  readonly instance: () => string
  readonly log: Logger
  /** In place of the usual 1,000 ms. */
  readonly overlapMs?: number
}

/**
 * Warns of other processes of a group of which there is to be one: each is told of once, if it is still there after the
 * time of a replacement, and is not about to end. Nobody can say which of them is one too many, so all of them tell.
 */
export class SecondOnes {
  readonly #options: SecondOnesOptions
  /** Those that are there, by instance, until they were told of. */
  readonly #timers = new Map<string, NodeJS.Timeout>()
  readonly #told = new Set<string>()

  constructor(options: SecondOnesOptions) {
    this.#options = options
  }

  /** Somebody was met, at an address if there is one. */
  met({ name, instance }: PeerInfo, url?: string): void {
    const { group, singletons, overlapMs = OVERLAP_MS } = this.#options
    if (name !== group || singletons.length === 0) return
    if (this.#told.has(instance) || this.#timers.has(instance)) return
    this.#timers.set(instance, setTimeout(() => this.#tell(instance, url), overlapMs).unref())
  }

  /** Somebody is gone, or takes no new work. */
  left({ instance }: PeerInfo): void {
    clearTimeout(this.#timers.get(instance))
    this.#timers.delete(instance)
  }

  /** This process ends: whoever is there takes its place. */
  end(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer)
    this.#timers.clear()
  }

  #tell(other: string, url: string | undefined): void {
    const { group, singletons, instance, log } = this.#options
    this.#timers.delete(other)
    this.#told.add(other)
    const one = singletons.map((name) => `'${name}'`).join(' and one ')
    const where = url === undefined ? '' : ` at ${url}`
    log.warn(
      { group, instance: instance(), other: { instance: other, ...(url === undefined ? {} : { url }) } },
      `two processes of '${group}' run, and there is to be one ${one} in the whole system: this one, instance ${instance()}, and instance ${other}${where}. Stop one of them`,
    )
  }
}
