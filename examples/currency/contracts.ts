/** How many units of a currency one euro is worth, and since when (ms since the epoch). */
export interface Rate {
  readonly currency: string
  readonly rate: number
  readonly at: number
}

/** An amount of money. */
export interface Amount {
  readonly amount: number
  readonly currency: string
  /** What one unit was multiplied by. */
  readonly rate: number
}

// What the services of this system ask and tell each other: all that they know of one another.
declare module 'lucilius' {
  interface Patterns {
    /** How many units of `to` one unit of `from` is worth, to 6 digits. */
    'role:convert,cmd:rate'(message: { from: string; to: string }): { rate: number }
    /** An amount in another currency, rounded to cents. */
    'role:convert,cmd:amount'(message: { from: string; to: string; amount: number }): Amount
    /** Proposes a rate. The reply is what holds from now on. */
    'role:rates,cmd:set'(message: { currency: string; rate: number }): Rate
    /** The rate that holds. */
    'role:rates,cmd:get'(message: { currency: string }): Rate
    /** All rates that hold. */
    'role:rates,cmd:list'(): readonly Rate[]
  }
  interface Events {
    /** A rate has changed. */
    'role:rates,event:changed'(message: Rate): void
  }
}
