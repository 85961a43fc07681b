import { ActionError, type App } from 'lucilius'
import './contracts.js'

/** Prices in euros. */
export interface OrderOptions {
  readonly prices: { readonly [sku: string]: number }
}

/** Takes orders. It keeps none of them: an order is accepted once its event is stored, and no crash loses it then. */
export function order(app: App, { prices }: OrderOptions) {
  const priceOf = new Map(Object.entries(prices))

  app.event('role:order,event:created', { durable: true })

  // Placing the same order twice places it once, so a lost answer may be asked for again.
  app.add('role:order,cmd:place', { idempotent: true }, async ({ id, sku, quantity }, { emit }) => {
    const price = priceOf.get(sku)
    if (price === undefined)
      throw new ActionError('SKU_UNKNOWN', `Nobody sells ${sku}`, { sku, known: [...priceOf.keys()] })
    if (typeof id !== 'string' || !/^[\w-]{1,40}$/.test(id)) {
      throw new ActionError('ID_INVALID', 'The id of an order has 1 to 40 letters, digits, - or _', { id })
    }
    if (!Number.isSafeInteger(quantity) || quantity < 1) {
      throw new ActionError('QUANTITY_INVALID', 'The quantity is a whole number from 1', { quantity })
    }
    const created = { id, sku, quantity, amount: quantity * price }
    await emit('role:order,event:created', created, { id: `created-${id}` })
    return created
  })
}
