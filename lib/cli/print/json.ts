import type { Io } from '../io.js'
import { harmlessText } from './harmless-text.js'

/**
 * A value as JSON in which nothing can move a cursor: what JSON itself leaves as it is (DEL, C1, marks of direction) is
 * escaped too, which changes no value.
 */
export function toJson(value: unknown, indent = 0): string {
  const text = JSON.stringify(value ?? null, null, indent)
  return text.split('\n').map(harmlessText).join('\n')
}

/** Prints a value as JSON: in one line, but for a person who would have to read a long one. */
export function printJson(value: unknown, { stdout, isTty, columns }: Io): void {
  const line = toJson(value)
  stdout.write(`${isTty && line.length > columns ? toJson(value, 2) : line}\n`)
}
