import { openSync, readFileSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'

/** The services that write down each call before they do it. */
export const places = ['convert', 'rates'] as const
export type Place = (typeof places)[number]

/** What is asked of a service. */
export interface Question {
  readonly id: string
  /** Milliseconds that the work takes. */
  readonly ms: number
}

/** Lays out an empty ledger for each place, and one for what became of the calls. */
export function layLedgers(folder: string): void {
  for (const name of [...places, 'fates']) writeFileSync(join(folder, name), '')
}

/** Writes ids into the ledger of a place. What is written stays, however the process ends. */
export function writesDown(folder: string, place: Place): (id: unknown) => void {
  const file = openSync(join(folder, place), 'a')
  return (id) => void writeSync(file, `${id}\n`)
}

/** Where the ledger of a place is. */
export function ledgerOf(folder: string, place: Place): string {
  return join(folder, place)
}

/** What a caller writes down: that it asks, and what came of it. */
export interface FateEntry {
  readonly id: string
  readonly kind?: 'once' | 'again'
  /** When, in ms since 1970. */
  readonly at: number
  /** What came of it; with `ms` but without it, the call was never made. */
  readonly end?: 'ok' | 'wrong' | 'late' | { readonly code: string; readonly handled: string | undefined }
  /** Milliseconds that it took. */
  readonly ms?: number
}

/** Writes entries of the caller. */
export function writesFates(folder: string): (entry: FateEntry) => void {
  const file = openSync(join(folder, 'fates'), 'a')
  return (entry) => void writeSync(file, `${JSON.stringify(entry)}\n`)
}

/** Reads what callers wrote. */
export function readFates(folder: string): FateEntry[] {
  const lines = readFileSync(join(folder, 'fates'), 'utf8').split('\n')
  // Only whole lines: nobody writes any more, or one by one.
  return lines.slice(0, -1).map((line) => JSON.parse(line) as FateEntry)
}
