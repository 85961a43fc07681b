import { ActionError, type App } from 'lucilius'
import './contracts.js'
import { Journal } from './journal.js'

/** Where charges are written down, and the most that one order may cost, in euros. */
export interface PaymentOptions {
  readonly file: string
  readonly limit: number
}

/** Takes money, once for each order. */
export function payment(app: App, { file, limit }: PaymentOptions) {
  const charged = new Map<string, number>()
  const charges = new Journal<{ order: string; amount: number }>(file, ({ order, amount }) =>
    charged.set(order, amount),
  )

  app.add('role:payment,cmd:charge', { idempotent: true }, ({ order, amount }) => {
    if (amount > limit)
      throw new ActionError('LIMIT_EXCEEDED', `${amount} euro is more than ${limit}`, { amount, limit })
    if (!charged.has(order)) charges.write({ order, amount })
    return { amount: charged.get(order) ?? amount }
  })
  app.onReady(() => charges.open())
  app.onClose(() => charges.close())
}
