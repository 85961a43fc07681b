import { ActionError, type App } from 'lucilius'
import '../contracts.js'

/** Takes orders: asks the stock, wherever it runs, and tells whoever wants to know. */
export function order(app: App) {
  let count = 0

  app.add('role:order,cmd:place', async ({ sku, quantity }, { act, emit }) => {
    if (!Number.isInteger(quantity) || quantity < 1) {
      throw new ActionError('QUANTITY_INVALID', 'The quantity is a whole number from 1', { quantity })
    }
    await act('role:stock,cmd:take', { sku, quantity })
    const placed = { number: ++count, sku, quantity }
    await emit('role:order,event:placed', placed)
    return placed
  })
}
