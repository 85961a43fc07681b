import { LuciliusError } from '../errors.js'
import { choice, shownValue } from './checks/shown-value.js'
import type { Variables } from './secret.js'

/** What is wrong with a text; undefined if nothing is. */
type ProblemOf = (text: string) => string | undefined

/** Reads variables one by one, and keeps what is wrong. Of one that is wrong it gives something, or undefined. */
export class VariableReader {
  /** What is wrong, a line for each variable. */
  readonly problems: string[] = []
  readonly #variables: Variables

  constructor(variables: Variables) {
    this.#variables = variables
  }

  /** The names of all that are there. */
  get names(): readonly string[] {
    return Object.keys(this.#variables)
  }

  /** A variable as it stands there; an empty one is none. */
  text(name: string): string | undefined {
    const text = this.#variables[name]
    return text === '' ? undefined : text
  }

  /** A whole number within bounds. */
  number(name: string, least: number, most: number): number | undefined {
    const text = this.text(name)
    if (text === undefined) return undefined
    const number = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN
    if (number >= least && number <= most) return number
    return this.wrong(name, `a whole number from ${least} to ${most}, not ${shownValue(text)}`)
  }

  /** One of a few words. */
  oneOf<T extends string>(name: string, known: readonly T[]): T | undefined {
    const text = this.text(name)
    const found = known.find((one) => one === text)
    if (found !== undefined || text === undefined) return found
    return this.wrong(name, `${choice(known)}, not ${shownValue(text)}`)
  }

  /** A text with which nothing is wrong. */
  valid(name: string, problemOf: ProblemOf): string | undefined {
    const text = this.text(name)
    const problem = text === undefined ? undefined : problemOf(text)
    return problem === undefined ? text : this.wrong(name, problem)
  }

  /** Texts with commas between them, with none of which anything is wrong. */
  list(name: string, problemOf: ProblemOf): readonly string[] | undefined {
    const all = this.text(name)
      ?.split(',')
      .map((one) => one.trim())
    const problem = all?.map(problemOf).find((one) => one !== undefined)
    if (problem !== undefined) this.wrong(name, `${problem}; commas separate several`)
    return all && Object.freeze(all)
  }

  /** What a function makes of a text; a text that it gives says what is wrong. */
  read<T extends object>(name: string, reader: (text: string) => T | string): T | undefined {
    const text = this.text(name)
    const found = text === undefined ? undefined : reader(text)
    return typeof found === 'string' ? this.wrong(name, found) : found
  }

  /** What a function gives that throws a `LuciliusError` for what is wrong. */
  attempt<T>(read: () => T): T | undefined {
    try {
      return read()
    } catch (error) {
      if (!(error instanceof LuciliusError)) throw error
      this.problems.push(error.message)
      return undefined
    }
  }

  /** Notes what is wrong with a variable. */
  wrong(name: string, problem: string): undefined {
    this.problems.push(`${name}: ${problem}`)
  }
}
