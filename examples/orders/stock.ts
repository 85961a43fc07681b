import { ActionError, type App } from 'lucilius'
import type { Order } from './contracts.js'
import { Journal } from './journal.js'

/** Where it is written down what became of orders, and what is on the shelves to begin with. */
export interface StockOptions {
  readonly file: string
  readonly shelves: { readonly [sku: string]: number }
}

/** A step of an order. It ends paid or refused. */
interface Step {
  readonly order: string
  readonly step: 'reserved' | 'paid' | 'refused'
  readonly sku: string
  readonly quantity: number
  readonly why?: string
}

/** Reserves what is ordered, has it paid, and gives it back if that is refused: a saga, in a plain handler. */
export function stock(app: App, { file, shelves }: StockOptions) {
  const left = new Map(Object.entries(shelves))
  const last = new Map<string, Step>()
  const steps = new Journal<Step>(file, (entry) => {
    const { order, step, sku, quantity } = entry
    if (step === 'reserved') left.set(sku, leftOf(sku) - quantity)
    if (step === 'refused' && last.has(order)) left.set(sku, leftOf(sku) + quantity)
    last.set(order, entry)
  })
  const leftOf = (sku: string) => left.get(sku) ?? 0

  function reserve({ id: order, sku, quantity }: Order) {
    if (quantity <= leftOf(sku)) steps.write({ order, step: 'reserved', sku, quantity })
    else steps.write({ order, step: 'refused', sku, quantity, why: `there is no more ${sku}` })
  }

  app.event('role:order,event:refused', { durable: true })

  // Each step is written down before the next one begins. An event that comes again, after a crash or because payment could
  // not be reached, goes on where the last time ended.
  app.on('role:order,event:created', { durable: 'reserve' }, async (created, { act, emit }) => {
    const { id: order, sku, quantity, amount } = created
    if (!last.has(order)) reserve(created)
    if (last.get(order)?.step === 'reserved') {
      try {
        await act('role:payment,cmd:charge', { order, amount })
        steps.write({ order, step: 'paid', sku, quantity })
      } catch (error) {
        // Only the action itself can refuse. Whatever else went wrong is tried again.
        if (!(error instanceof ActionError)) throw error
        steps.write({ order, step: 'refused', sku, quantity, why: error.message })
      }
    }
    const { step, why = '' } = last.get(order) as Step // it has one by now
    if (step === 'refused') await emit('role:order,event:refused', { id: order, why }, { id: `refused-${order}` })
  })

  app.add('role:stock,cmd:count', { idempotent: true }, () => {
    const sum = (sku: string, step: Step['step']) =>
      [...last.values()].reduce((all, one) => all + (one.sku === sku && one.step === step ? one.quantity : 0), 0)
    return [...left].map(([sku, left]) => ({ sku, left, reserved: sum(sku, 'reserved'), sold: sum(sku, 'paid') }))
  })

  app.onReady(() => steps.open())
  app.onClose(() => steps.close())
}
