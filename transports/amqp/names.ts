/** What this transport calls things on the broker. All of one space start with `lucilius.<space>.`: one permission has them. */
export interface Names {
  /** The direct exchange of mailboxes: the routing key is an address. */
  readonly mail: string
  /** The direct exchange on which listeners and those who look for them meet. */
  readonly news: string
  /** The queue of a mailbox. `turn` counts its connections: the broker may still hold the queue of one that was cut. */
  box(address: string, turn: number): string
  /** The queue of somebody who follows the news. */
  reader(id: string, turn: number): string
  /** The queue of the clients' door of an app. */
  door(app: string): string
}

/** The names of one space. */
export function namesOf(space: string): Names {
  const prefix = `lucilius.${space}`
  return {
    mail: `${prefix}.mail`,
    news: `${prefix}.news`,
    box: (address, turn) => `${prefix}.box.${address}.${turn}`,
    reader: (id, turn) => `${prefix}.reader.${id}.${turn}`,
    door: (app) => `${prefix}.act.${app}`,
  }
}
