import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** A line of the outbox. */
export interface Letter {
  readonly order: string
  readonly about: 'created' | 'refused'
}

/** A line of the journal of stock. */
export interface Step {
  readonly order: string
  readonly step: 'reserved' | 'paid' | 'refused'
  readonly sku: string
  readonly quantity: number
}

/** What the services have written down by now. */
export interface Written {
  readonly letters: readonly Letter[]
  readonly steps: readonly Step[]
  readonly charges: readonly { readonly order: string; readonly amount: number }[]
}

/** Reads it; half a line that is being written is no line yet. */
export function written(folder: string): Written {
  return {
    letters: linesOf(join(folder, 'outbox.ndjson')) as Letter[],
    steps: linesOf(join(folder, 'stock.ndjson')) as Step[],
    charges: linesOf(join(folder, 'payments.ndjson')) as { order: string; amount: number }[],
  }
}

function linesOf(file: string): unknown[] {
  if (!existsSync(file)) return []
  const lines = readFileSync(file, 'utf8').split('\n')
  return lines.slice(0, -1).map((line) => JSON.parse(line))
}
