import type { Emission } from './emission.js'
import type { Subscribed } from './subscriptions.js'

/** Keeps events for observers that are being exchanged, up to so many; what is more gets lost, and told. */
export class Holding {
  readonly #isHeld: (observer: Subscribed) => boolean
  readonly #most: number
  readonly #kept: { readonly emission: Emission; readonly observers: readonly Subscribed[] }[] = []

  constructor(isHeld: (observer: Subscribed) => boolean, most: number) {
    this.#isHeld = isHeld
    this.#most = most
  }

  /** Keeps an event for those of its observers that are held. Gives the others. */
  keep(observers: readonly Subscribed[], emission: Emission): readonly Subscribed[] {
    const held = observers.filter(this.#isHeld)
    const [first] = held
    if (first === undefined) return observers
    if (this.#kept.length < this.#most) this.#kept.push({ emission, observers: held })
    else
      first.action.log.warn({ max: this.#most }, 'an event is lost: too many wait for a plugin that is being replaced')
    return observers.filter((observer) => !this.#isHeld(observer))
  }

  /** Hands on what was kept, in the order of emission, to those of the new observers that were picked before. */
  handOn(newOnes: (emission: Emission) => readonly Subscribed[], start: (due: HandedOn) => void): void {
    for (const { emission, observers } of this.#kept) {
      const picked = new Set(observers.filter(({ each }) => !each).map(({ service }) => service))
      const next = newOnes(emission).filter(({ each, service }) => each || picked.has(service))
      start({ observers: next, emission })
    }
  }
}

/** An event that was kept, and who is to observe it now. */
interface HandedOn {
  readonly observers: readonly Subscribed[]
  readonly emission: Emission
}
