/** `error`: some message has no home, or a process would not start. `warning`: it runs, and may surprise. */
export type Level = 'error' | 'warning'

/** What the table says about one code. */
export interface FindingRow {
  /** The levels that a finding of this code may have. */
  readonly levels: readonly Level[]
  /** What was found, in one sentence. */
  readonly meaning: string
  /** What to do about it. */
  readonly cure: string
}

/** Something about a deployment that its author should know. Plain data. */
export interface Finding {
  /** Whether it must be mended before the deployment can run. */
  readonly level: Level
  /** A key of {@link findingTable}. */
  readonly code: FindingCode
  /** The facts and a way out, for people. */
  readonly message: string
  /** Where it is mended: the path of a key of the description, or the line of a recorded run. */
  readonly where: string
}

const rows = Object.freeze({
  MISSING_HOME: row(
    ['error'],
    'A service sends a message that no action answers and no subscription observes in this deployment.',
    'Mend the pattern, or add the service that answers it to a group.',
  ),
  UNREACHABLE: row(
    ['error'],
    'What answers a message, or alone observes an event, runs in a group that the group of the sender has no link to.',
    'Let both groups name each other in `peers`, or leave `peers` out.',
  ),
  UNKNOWN_SERVICE: row(
    ['error'],
    'A group names a service that the description does not have.',
    'Mend the name, or describe the service.',
  ),
  LOAD_FAILED: row(
    ['error'],
    'A service or plugin cannot be loaded. Messages are not checked then, for nobody knows what it would answer.',
    'Mend the module; the message says where it broke.',
  ),
  NEED_MISSING: row(
    ['error'],
    'A service needs another plugin or service before it in its process, and a group does not have it there.',
    'Put both into the same group, in this order, or describe what is needed as a plugin of the system.',
  ),
  SHADOWED: row(
    ['error', 'warning'],
    'Two services add the same pattern. In one process, the one behind is a prior: a warning. In different groups, which one runs depends on who asks: an error.',
    'Make one pattern more specific, or keep both services in the same groups.',
  ),
  EXPOSED_INTERNAL: row(
    ['error'],
    'A door to the outside lets in an action that its service calls internal.',
    'Expose narrower patterns.',
  ),
  EXPOSED_ELSEWHERE: row(
    ['error'],
    'A door exposes a pattern whose actions run in other groups only. A door lets in actions of its own group.',
    'Move the door or the service, or add a service here that passes the message on.',
  ),
  EXPOSES_NOTHING: row(
    ['warning'],
    'A door exposes a pattern that lets in no action of any group.',
    'Mend the pattern: it has exactly the keys of the actions that it lets in.',
  ),
  HIDDEN_BY_SPECIFIC: row(
    ['warning'],
    'A door exposes an action, and in the same process a more specific one that it does not expose: messages for that one are refused.',
    'Expose both, if the outside shall have both.',
  ),
  BYPASSED: row(
    ['warning'],
    'A door exposes an action, and a more specific one runs in another group: clients of this door never reach it, though in one process they would.',
    'Put both services into the same group.',
  ),
  PORT_CLASH: row(
    ['error'],
    'Two listeners on one machine want the same address, the ports of replicas included.',
    'Give them ports further apart, or port 0.',
  ),
  SINGLETON_REPLICATED: row(
    ['error'],
    'There is to be one of a service, and the deployment runs it several times.',
    'Give its group one replica, and name it in one group.',
  ),
  SECRET_MISSING: row(
    ['error'],
    'Processes talk to each other beyond this machine, and the environment has no secret for them.',
    'Set `LUCILIUS_SECRET` or `LUCILIUS_SECRET_FILE`, the same for all.',
  ),
  STORE_MISSING: row(
    ['error'],
    'A service declares an event as durable or retained, or has a durable subscription, and nothing in this deployment keeps events.',
    "Set `store` of the deployment to `'nats'` or `'amqp'`, or run all of it in one process.",
  ),
  STORE_SHARED: row(
    ['error'],
    'Several processes would open an embedded store, which is the files of one.',
    "Set `store` of the deployment to `'nats'` or `'amqp'`.",
  ),
  BROKER_UNKNOWN: row(
    ['error'],
    'Processes run on several machines, and nobody says where their broker is: each would look for it on its own machine.',
    'Set `LUCILIUS_NATS_URL` or `LUCILIUS_AMQP_URL`, or `brokers` of the deployment.',
  ),
  PACKAGE_MISSING: row(
    ['error'],
    'A transport or store needs a package that is not installed.',
    'Install it; the message has the line to run.',
  ),
  SERVICE_NOWHERE: row(
    ['warning'],
    'A service of the description is in no group of this deployment.',
    'Name it in a group, if it shall run.',
  ),
  INCOMPLETE: row(
    ['warning'],
    'What a service declares is answered only by patterns with more keys. It has a home if the data brings them.',
    'Write the missing keys into the pattern of the act, or declare the whole pattern.',
  ),
  UNHEARD: row(
    ['warning'],
    'An event is not heard by all who would hear it in one process, or a recorded one by nobody.',
    'Link the groups; name a recorded one in `emits` of its service, if nobody has to observe it.',
  ),
  NEVER_STORED: row(
    ['warning'],
    'A durable subscription observes events that nobody who runs declares as durable: it gets none.',
    'Declare the event where it is emitted: `app.event(pattern, { durable: true })`.',
  ),
  NOT_LOOKED_FOR: row(
    ['warning'],
    'A deployment lets processes find each other, and its description says where those of a group are: that goes before it, so nobody looks for them.',
    'Take the port out of `listen`, or `discovery` out of the deployment.',
  ),
  ROUTE_IDLE: row(
    ['warning'],
    'A route covers no action and no subscription, or none that a more specific one does not cover.',
    'Mend its pattern, or take it out.',
  ),
  AMBIGUOUS: row(
    ['warning'],
    'A message may match two patterns of different services, and only the alphabet decides which one answers.',
    'Give one of them the key of the other one, too.',
  ),
  FOREIGN_WRAP: row(
    ['warning'],
    'A wrap of one service covers actions of another that does not share all its processes: there it does not run.',
    'Make the wrap a plugin of the system, which every process loads.',
  ),
  CYCLE: row(
    ['warning'],
    'Groups act on each other in a circle, so they cannot be drained one after the other.',
    'Put the services into one group, or let one side emit an event.',
  ),
  UNDECLARED: row(
    ['warning'],
    'In a recorded run a service sent what its `uses` does not cover.',
    'Add the pattern to its `uses`.',
  ),
  UNKNOWN_SENDER: row(
    ['warning'],
    'A recorded run names a sender that is neither a service nor a plugin of the description.',
    'Record the run again.',
  ),
})

/** A key of {@link findingTable}. */
export type FindingCode = keyof typeof rows

/** Every code that a finding can have. `docs/plan.md` lists each. */
export const findingTable: { readonly [C in FindingCode]: FindingRow } = rows

/** Makes a finding that is an error. */
export function errorOf(code: FindingCode, where: string, message: string): Finding {
  return { level: 'error', code, message, where }
}

/** Makes a finding that is a warning. */
export function warningOf(code: FindingCode, where: string, message: string): Finding {
  return { level: 'warning', code, message, where }
}

/** Errors first, each finding once; otherwise the order stays. */
export function sortFindings(findings: readonly Finding[]): Finding[] {
  const once = new Map(findings.map((finding) => [JSON.stringify(finding), finding]))
  const all = [...once.values()]
  return [...all.filter(({ level }) => level === 'error'), ...all.filter(({ level }) => level === 'warning')]
}

function row(levels: readonly Level[], meaning: string, cure: string): FindingRow {
  return Object.freeze({ levels: Object.freeze(levels), meaning, cure })
}
