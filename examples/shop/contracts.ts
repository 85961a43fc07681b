/** An order that was taken. */
export interface Order {
  readonly number: number
  readonly sku: string
  readonly quantity: number
}

// What the services ask and tell each other: all that they know of one another.
declare module 'lucilius' {
  interface Patterns {
    /** How many there are. */
    'role:stock,cmd:left'(message: { sku: string }): { left: number }
    /** Takes some out, or refuses with SOLD_OUT. */
    'role:stock,cmd:take'(message: { sku: string; quantity: number }): { left: number }
    /** Orders some. */
    'role:order,cmd:place'(message: { sku: string; quantity: number }): Order
  }
  interface Events {
    /** An order was taken. */
    'role:order,event:placed'(message: Order): void
  }
}
