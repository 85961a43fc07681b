import { token } from './token.js'

/** What the store of a space is called on a broker: `docs/nats.md` has the list for those who write permissions. */
export interface Names {
  /** The names of its streams. */
  readonly streams: {
    readonly events: string
    readonly retained: string
    readonly dead: string
    readonly failures: string
    readonly state: string
  }
  /** Where the events of a declaration are stored. */
  event(declared: string): string
  /** Where a dead letter is stored once more, for its subscription only. */
  replay(subscription: string): string
  /** Whether a subject is that of a dead letter which is delivered again. */
  isReplay(subject: string): boolean
  /** Where the last event of a key lies. */
  retained(declared: string, key: string): string
  /** Where the dead letters of a subscription lie. */
  dead(subscription: string): string
  /** Where the failures of one delivery are kept while it goes on. */
  failures(subscription: string, sequence: number | '*'): string
  /** Where it is written that there is a subscription. */
  subscription(name: string): string
  /** All of these. */
  readonly subscriptions: string
  /** Where instances answer that serve it with this pattern. */
  serving(name: string, pattern: string): string
  /** Where an ordered subscription has its place. */
  ordered(name: string): string
}

/** Everything of a space starts with `lucilius.<space>.` as a subject, and with `lucilius_<space>_` as a stream. */
export function namesOf(space: string): Names {
  const subject = `lucilius.${space}`
  const stream = `lucilius_${space}`
  return {
    streams: {
      events: `${stream}_events`,
      retained: `${stream}_retained`,
      dead: `${stream}_dead`,
      failures: `${stream}_failures`,
      state: `${stream}_state`,
    },
    event: (declared) => `${subject}.event.${token(declared)}`,
    replay: (subscription) => `${subject}.replay.${token(subscription)}`,
    isReplay: (text) => text.startsWith(`${subject}.replay.`),
    retained: (declared, key) => `${subject}.retained.${token(declared)}.${token(key)}`,
    dead: (subscription) => `${subject}.dead.${token(subscription)}`,
    failures: (subscription, sequence) => `${subject}.failures.${token(subscription)}.${sequence}`,
    subscription: (name) => `${subject}.state.subscription.${token(name)}`,
    subscriptions: `${subject}.state.subscription.*`,
    serving: (name, pattern) => `${subject}.serving.${token(name)}.${token(pattern)}`,
    ordered: (name) => `${subject}.state.ordered.${token(name)}`,
  }
}
