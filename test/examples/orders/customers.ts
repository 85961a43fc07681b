import { setTimeout as pause } from 'node:timers/promises'
import type { Order } from '../../../examples/orders/contracts.js'
import { ActionError } from '../../../lib/index.js'
import type { Chance } from '../../faults/chance.js'
import type { Running } from './running.js'

/** Milliseconds that a customer waits for an answer before asking again. */
const TIMEOUT_MS = 3000

/** Milliseconds after a failure before the same is asked again. */
const REST_MS = 50

/** Customers who place orders until they are told to stop, each again and again until it is accepted. */
export class Customers {
  readonly accepted: Order[] = []
  /** Answers other than a reply, by code. */
  readonly failed = new Map<string, number>()
  readonly #running: Running
  readonly #chance: Chance
  readonly #skus: readonly string[]
  readonly #open = new Set<Promise<void>>()
  readonly #timer: NodeJS.Timeout
  #placed = 0

  constructor(running: Running, chance: Chance, skus: readonly string[], perSecond: number) {
    this.#running = running
    this.#chance = chance
    this.#skus = skus
    this.#timer = setInterval(() => this.#place(), 1000 / perSecond)
  }

  /** Places no more. Resolves when all that were placed are accepted. */
  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await Promise.all(this.#open)
  }

  #place(): void {
    const one = this.#insist(this.#next()).finally(() => this.#open.delete(one))
    this.#open.add(one)
  }

  #next(): string {
    const [id, sku] = [`o-${++this.#placed}`, this.#skus[Math.floor(this.#chance() * this.#skus.length)]]
    return `role:order,cmd:place,id:${id},sku:${sku},quantity:${1 + Math.floor(this.#chance() * 8)}`
  }

  async #insist(message: string): Promise<void> {
    for (;;) {
      try {
        this.accepted.push((await this.#running.act(message, TIMEOUT_MS)) as Order)
        return
      } catch (error) {
        if (error instanceof ActionError) throw error // none of these orders is wrong
        const { code = String(error) } = error as { code?: string }
        this.failed.set(code, (this.failed.get(code) ?? 0) + 1)
        await pause(REST_MS)
      }
    }
  }
}
