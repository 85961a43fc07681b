import { ActionError, type App } from 'lucilius'
import '../contracts.js'

/** Knows what is left. There is one of it: it keeps its numbers in memory. */
export function stock(app: App) {
  const shelf = new Map([
    ['apple', 10],
    ['pear', 3],
  ])

  app.add('role:stock,cmd:left', ({ sku }) => ({ left: shelf.get(sku) ?? 0 }))

  app.add('role:stock,cmd:take', ({ sku, quantity }) => {
    const left = (shelf.get(sku) ?? 0) - quantity
    if (left < 0) throw new ActionError('SOLD_OUT', `There are not ${quantity} of ${sku}`, { sku, quantity })
    shelf.set(sku, left)
    return { left }
  })

  // An event: whoever wants to know observes it, and the service that tells it waits for nobody.
  app.on('role:order,event:placed', ({ number, sku, quantity }) => {
    app.log.info({ number, sku, quantity }, 'packed')
  })
}
