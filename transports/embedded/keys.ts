/**
 * Where what lies in the database. Keys are texts in the order of their UTF-8 bytes; `!` ends a part, and no name of a
 * subscription has one.
 *
 * | key | value |
 * |---|---|
 * | `meta!format` | the version of this table |
 * | `meta!number` | the last number that was given |
 * | `subscription!<name>` | its pattern, and whether it is ordered |
 * | `event!<number>` | an event that somebody has yet to handle |
 * | `holders!<number>` | by how many, where it is more than one |
 * | `ready!<name>!<number>` | the subscription has yet to be given the event |
 * | `running!<name>!<number>` | it was given it; the value has the attempts |
 * | `delayed!<name>!<ms since the epoch>!<number>` | it gets it again then; the value has the attempts |
 * | `dead!<number>!<name>` | a dead letter, the event in it |
 * | `retained!<declaration and key>` | the last event of a key |
 * | `seen!<start of a generation>!<id>` | when an event of this id was stored |
 */
import type { ClassicLevel } from 'classic-level'

/** The database of a store. */
export type Database = ClassicLevel<string, string>

/** Numbers and times with so many digits that their order as texts is their order as numbers. */
export function digits(n: number): string {
  return String(n).padStart(16, '0')
}

/** The first parts of a key as bounds: everything that goes on after them. */
export function below(...parts: readonly string[]): { readonly gt: string; readonly lt: string } {
  const start = parts.join('!')
  return { gt: `${start}!`, lt: `${start}"` } // the character after `!`
}

/** The last part of a key. */
export function lastPart(key: string): string {
  return key.slice(key.lastIndexOf('!') + 1)
}

export const formatKey = 'meta!format'
export const numberKey = 'meta!number'

export const subscriptionKey = (name: string): string => `subscription!${name}`
export const eventKey = (number: number): string => `event!${digits(number)}`
export const holdersKey = (number: number): string => `holders!${digits(number)}`
export const readyKey = (name: string, number: number): string => `ready!${name}!${digits(number)}`
export const runningKey = (name: string, number: number): string => `running!${name}!${digits(number)}`
export const deadKey = (number: number, name: string): string => `dead!${digits(number)}!${name}`
export const seenKey = (start: number, id: string): string => `seen!${digits(start)}!${id}`

export function delayedKey(name: string, dueAt: number, number: number): string {
  return `delayed!${name}!${digits(dueAt)}!${digits(number)}`
}

/** As JSON, for both may hold any character. */
export function retainedKey(declared: string, key: string): string {
  return `retained!${JSON.stringify([declared, key])}`
}
