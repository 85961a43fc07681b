/** What a customer wants, and what it costs, in euros. */
export interface Order {
  /** Made by the customer: the same id is the same order, however often it is sent. */
  readonly id: string
  readonly sku: string
  readonly quantity: number
  readonly amount: number
}

/** What is on a shelf, and what became of the rest. */
export interface Shelf {
  readonly sku: string
  readonly left: number
  /** Held for orders that are not paid yet. */
  readonly reserved: number
  readonly sold: number
}

// What the services of this system ask and tell each other: all that they know of one another.
declare module 'lucilius' {
  interface Patterns {
    /** Places an order. It is accepted once there is a reply. */
    'role:order,cmd:place'(message: { id: string; sku: string; quantity: number }): Order
    /** Takes the money for an order, once. */
    'role:payment,cmd:charge'(message: { order: string; amount: number }): { amount: number }
    /** What is on the shelves. */
    'role:stock,cmd:count'(): readonly Shelf[]
  }
  interface Events {
    /** An order is accepted. */
    'role:order,event:created'(message: Order): void
    /** Nothing will come of an order, and nothing is held for it. */
    'role:order,event:refused'(message: { id: string; why: string }): void
  }
}
