import type { Order, Shelf } from '../../../examples/orders/contracts.js'
import type { Step, Written } from './folder.js'

/** What is to be true in the end: of the orders that were accepted, what was written down, and what stock counts. */
export interface Outcome extends Written {
  readonly accepted: readonly Order[]
  readonly shelves: readonly Shelf[]
  readonly deadLetters: number
}

/** Whether everything has come of the orders that is to come of them. */
export function isSettled(accepted: readonly Order[], { letters, steps }: Written): boolean {
  const ends = endsOf(steps)
  const told = new Set(letters.map(({ order, about }) => `${about} ${order}`))
  return accepted.every(({ id }) => {
    const end = ends.get(id)?.at(-1)
    return told.has(`created ${id}`) && (end === 'paid' || (end === 'refused' && told.has(`refused ${id}`)))
  })
}

/** The promises that were broken, in words; none if all is well. */
export function brokenIn(outcome: Outcome, initial: { readonly [sku: string]: number }): string[] {
  const { accepted, letters, steps, charges, shelves, deadLetters } = outcome
  const wrong: string[] = []
  const ends = endsOf(steps)
  const known = new Set(accepted.map(({ id }) => id))
  const charged = counted(charges.map(({ order }) => order))
  const told = counted(letters.map(({ order, about }) => `${about} ${order}`))
  for (const { id } of accepted) {
    const way = ends.get(id)?.join(', ') ?? 'nothing'
    const isPaid = way === 'reserved, paid'
    if (!isPaid && !['refused', 'reserved, refused'].includes(way)) wrong.push(`${id}: stock did ${way}`)
    expect(id, 'letters that it is created', told.get(`created ${id}`), 1)
    expect(id, 'letters that it is refused', told.get(`refused ${id}`), isPaid ? 0 : 1)
    expect(id, 'charges', charged.get(id), isPaid ? 1 : 0)
  }
  for (const id of ends.keys()) if (!known.has(id)) wrong.push(`${id}: stock knows an order that nobody placed`)
  for (const { sku, left, reserved, sold } of shelves) {
    const paid = steps.filter((one) => one.sku === sku && one.step === 'paid')
    const sum = paid.reduce((all, { quantity }) => all + quantity, 0)
    expect(sku, 'sold', sold, sum)
    expect(sku, 'reserved', reserved, 0)
    expect(sku, 'left and sold', left + sold, initial[sku] ?? 0)
  }
  expect('store', 'dead letters', deadLetters, 0)
  return wrong

  function expect(what: string, of: string, is = 0, wanted: number): void {
    if (is !== wanted) wrong.push(`${what}: ${of}: ${is}, not ${wanted}`)
  }
}

/** The steps of each order. */
function endsOf(steps: readonly Step[]): ReadonlyMap<string, readonly Step['step'][]> {
  const ends = new Map<string, Step['step'][]>()
  for (const { order, step } of steps) ends.set(order, [...(ends.get(order) ?? []), step])
  return ends
}

function counted(names: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1)
  return counts
}
