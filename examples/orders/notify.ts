import type { App } from 'lucilius'
import './contracts.js'
import { Journal } from './journal.js'

/** Where messages to customers go. */
export interface NotifyOptions {
  readonly outbox: string
}

/** A line of the outbox. */
interface Letter {
  readonly order: string
  readonly about: 'created' | 'refused'
  readonly text: string
}

/** Writes one line to the outbox for each order that is accepted, and one for each that is refused later. */
export function notify(app: App, { outbox }: NotifyOptions) {
  const written = new Set<string>()
  const letters = new Journal<Letter>(outbox, ({ order, about }) => written.add(`${about} ${order}`))

  // An event is delivered at least once, so it may come again: look what is there before writing.
  function write(letter: Letter) {
    if (!written.has(`${letter.about} ${letter.order}`)) letters.write(letter)
  }

  app.on('role:order,event:created', { durable: 'created' }, ({ id, sku, quantity, amount }) => {
    write({ order: id, about: 'created', text: `Thank you for your order: ${quantity} ${sku}, ${amount} euro.` })
  })
  app.on('role:order,event:refused', { durable: 'refused' }, ({ id, why }) => {
    write({ order: id, about: 'refused', text: `We are sorry: ${why}.` })
  })
  app.onReady(() => letters.open())
  app.onClose(() => letters.close())
}
