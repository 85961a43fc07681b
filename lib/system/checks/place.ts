import { fieldPath } from '../../field-path.js'
import { shownValue } from './shown-value.js'

/** Faults that `plan` knows by a code of its own; `WRONG_VALUE` is every other. */
export type ProblemKind = 'WRONG_VALUE' | 'UNKNOWN_SERVICE' | 'SINGLETON_REPLICATED' | 'PORT_CLASH'

/** One thing that is wrong with a description. */
export interface Problem {
  /** The keys that lead there, as code writes them: `deployments.split.groups.rates.replicas`. */
  readonly path: string
  /** What is wrong, and what is allowed. */
  readonly message: string
  /** What sort of fault it is. */
  readonly kind: ProblemKind
}

/** A value of a description and where it stands. What is wrong with it is noted, so that all is told at once. */
export class Place {
  readonly value: unknown
  readonly #problems: Problem[]
  readonly #keys: readonly (string | number)[]

  constructor(value: unknown, problems: Problem[], keys: readonly (string | number)[] = []) {
    this.value = value
    this.#problems = problems
    this.#keys = keys
  }

  /** The value below a key; undefined if there is none, or if this is no object. */
  at(key: string | number): Place {
    const { value } = this
    const inside = typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    return new Place(inside ? Reflect.get(value, key) : undefined, this.#problems, [...this.#keys, key])
  }

  /** The elements of a list. */
  elements(): Place[] {
    return Array.isArray(this.value) ? this.value.map((_, index) => this.at(index)) : []
  }

  /** Notes what is wrong. */
  wrong(message: string, kind: ProblemKind = 'WRONG_VALUE'): undefined {
    this.#problems.push({ path: this.#keys.length === 0 ? 'description' : fieldPath(this.#keys), message, kind })
  }

  /** Notes what should stand here instead of the value. */
  expected(what: string): undefined {
    return this.wrong(this.value === undefined ? `missing: ${what}` : `${what}, not ${shownValue(this.value)}`)
  }
}
