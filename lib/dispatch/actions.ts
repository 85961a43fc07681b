import { covers } from '../covers.js'
import type { Message } from '../message.js'
import type { Pattern } from '../pattern.js'
import { Router } from '../router/router.js'
import type { Action } from './action.js'

/** All actions of one pattern: those that run here, oldest first, then those of peers, sorted by service. */
export interface Slot {
  readonly pattern: Pattern
  readonly local: Action[]
  readonly remote: Action[]
  /** The one that an act runs: the newest local one, else the first remote one. */
  top: Action
}

/** The actions that this app knows, its own and its peers'. */
export class Actions {
  readonly router = new Router<Slot>()
  readonly #changed = new Set<() => void>()
  /** Who stands in the place of an action for a while. */
  readonly #standIns = new WeakMap<Action, Action>()
  #together = false
  readonly #priors = new WeakMap<Action, { version: number; prior: Action | undefined }>()
  #version = 0

  add(action: Action): void {
    const slot = this.router.get(action.pattern.text)
    if (slot === undefined) {
      const [local, remote] = action.remote === undefined ? [[action], []] : [[], [action]]
      this.router.set(action.pattern, { pattern: action.pattern, local, remote, top: action })
    } else {
      place(slot, action)
    }
    this.#tellChange()
  }

  remove(given: Action): void {
    const action = this.#standIns.get(given) ?? given
    const slot = this.router.get(action.pattern.text)
    const list = action.remote === undefined ? slot?.local : slot?.remote
    const index = list?.indexOf(action) ?? -1
    if (slot === undefined || list === undefined || index < 0) return
    list.splice(index, 1)
    const top = topOf(slot)
    if (top === undefined) this.router.delete(slot.pattern.text)
    else slot.top = top
    this.#tellChange()
  }

  /** Puts another action in the place of one, until `restore`; the place stays where it is, and nobody is told. */
  replace(action: Action, by: Action): void {
    if (this.#exchange(action, by)) this.#standIns.set(action, by)
  }

  /** Puts an action back in its place, unless it was removed meanwhile. */
  restore(action: Action): void {
    const standIn = this.#standIns.get(action)
    this.#standIns.delete(action)
    if (standIn !== undefined) this.#exchange(standIn, action)
  }

  /** Makes several changes and tells of them once, when all are made. */
  together(change: () => void): void {
    const isOuter = !this.#together
    this.#together = true
    try {
      change()
    } finally {
      this.#together = !isOuter
      this.#tellChange()
    }
  }

  #exchange(action: Action, by: Action): boolean {
    const slot = this.router.get(action.pattern.text)
    const index = slot?.local.indexOf(action) ?? -1
    if (slot === undefined || index < 0) return false
    slot.local[index] = by
    if (slot.top === action) slot.top = by
    this.#version++
    return true
  }

  /** The action that `context.prior` of a running action calls: the next older one here, else the next wider one. */
  prior(action: Action): Action | undefined {
    const known = this.#priors.get(action)
    if (known?.version === this.#version) return known.prior
    const prior = this.#older(action) ?? this.wider(action.pattern)
    this.#priors.set(action, { version: this.#version, prior })
    return prior
  }

  /** The most specific action whose pattern covers this one and is not equal to it. */
  wider(pattern: Pattern): Action | undefined {
    // Whoever covers a pattern also matches its pairs, so this looks at no more than it must.
    return this.router.collect(pattern.pairs).find((slot) => isWider(slot.pattern, pattern))?.top
  }

  /** All actions that match a message, in the order in which they would be chosen. */
  matching(message: Message): Action[] {
    return this.router.collect(message).flatMap(actionsOf)
  }

  /** Every action, in no order. */
  *all(): Iterable<Action> {
    for (const [, slot] of this.router.entries()) yield* actionsOf(slot)
  }

  /** Calls `listener` after each change, until the returned function is called. */
  onChange(listener: () => void): () => void {
    this.#changed.add(listener)
    return () => void this.#changed.delete(listener)
  }

  #older(action: Action): Action | undefined {
    return this.router.get(action.pattern.text)?.local.findLast((other) => other.order < action.order)
  }

  #tellChange(): void {
    this.#version++
    if (this.#together) return
    for (const listener of this.#changed) listener()
  }
}

function place(slot: Slot, action: Action): void {
  if (action.remote === undefined) insert(slot.local, action)
  else slot.remote.splice(indexByService(slot.remote, action.service), 0, action)
  // There is one: it was just added.
  slot.top = topOf(slot) as Action
}

/** What takes the place of another one has its order, and stands where that stood. */
function insert(actions: Action[], action: Action): void {
  actions.splice(actions.findLastIndex(({ order }) => order < action.order) + 1, 0, action)
}

function indexByService(actions: readonly Action[], service: string): number {
  const index = actions.findIndex((other) => other.service > service)
  return index < 0 ? actions.length : index
}

function topOf(slot: Slot): Action | undefined {
  return slot.local.at(-1) ?? slot.remote[0]
}

/** The actions of a slot in the order in which they would be chosen. */
function actionsOf(slot: Slot): Action[] {
  return [...slot.local.toReversed(), ...slot.remote]
}

function isWider(wide: Pattern, narrow: Pattern): boolean {
  return wide.text !== narrow.text && covers(wide, narrow)
}
