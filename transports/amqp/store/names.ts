/** What the store of a space is made of in the broker. Its parts are separated by what no name of a subscription starts with. */
export interface Names {
  /** Headers exchange: every durable or retained event is published here. */
  readonly events: string
  /** Direct exchange: leads to each queue by its name, so that nobody needs permissions on the default exchange. */
  readonly queues: string
  /** Fanout exchange: asks every open store what it has under way. */
  readonly roll: string
  /** Stream: retained events. */
  readonly retained: string
  /** Stream: which subscriptions there are. */
  readonly subscriptions: string
  /** Queue of a subscription: what it has yet to handle. */
  waiting(subscription: string): string
  /** Queue of a subscription: what comes back to it after so many ms. */
  delayed(subscription: string, ms: number): string
  /** Queue of a subscription: its dead letters. */
  dead(subscription: string): string
  /** Queue that exists while somebody reads the dead letters of a subscription. */
  lock(subscription: string): string
  /** Queue of an open store, for what it is asked and answered. */
  instance(id: string): string
}

/** The names of a space: all of them begin with `lucilius.<space>.`, so that one permission covers them. */
export function namesOf(space: string): Names {
  const prefix = `lucilius.${space}`
  return {
    events: `${prefix}.events`,
    queues: `${prefix}.queues`,
    roll: `${prefix}.roll`,
    retained: `${prefix}.retained`,
    subscriptions: `${prefix}.subscriptions`,
    waiting: (subscription) => `${prefix}.on.${subscription}`,
    delayed: (subscription, ms) => `${prefix}.after-${ms}.${subscription}`,
    dead: (subscription) => `${prefix}.dead.${subscription}`,
    lock: (subscription) => `${prefix}.lock.${subscription}`,
    instance: (id) => `${prefix}.instance.${id}`,
  }
}
