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

  remove(action: Action): void {
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
    for (const listener of this.#changed) listener()
  }
}

function place(slot: Slot, action: Action): void {
  if (action.remote === undefined) slot.local.push(action)
  else slot.remote.splice(indexByService(slot.remote, action.service), 0, action)
  // There is one: it was just added.
  slot.top = topOf(slot) as Action
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
