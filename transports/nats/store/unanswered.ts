/** Why a question to the broker has no answer. */
export type Silence =
  /** The connection was lost before the answer came: the question may have arrived. */
  | 'lost'
  /** No answer came in time, though there is a connection: the question may have arrived. */
  | 'silent'
  /** Nobody listens there: the question certainly had no effect. */
  | 'nobody'
  /** The broker does not let this user ask it: it had no effect. */
  | 'forbidden'
  /** Whoever asked gave up. */
  | 'given-up'
  /** The connection is closed, by us or for ever. */
  | 'closed'

/** A question that the broker did not answer. Stays within the store. */
export class Unanswered extends Error {
  readonly why: Silence
  readonly subject: string

  constructor(why: Silence, subject: string, options?: ErrorOptions) {
    super(`${texts[why]}: ${subject}`, options)
    this.why = why
    this.subject = subject
  }
}

const texts: { readonly [S in Silence]: string } = {
  lost: 'the connection to the broker was lost',
  silent: 'the broker did not answer in time',
  nobody: 'nobody answers at the broker',
  forbidden: 'the broker does not permit it',
  'given-up': 'there was no time left',
  closed: 'the connection to the broker is closed',
}

/** A question that the broker answered with a refusal. Stays within the store. */
export class Refused extends Error {
  /** Like an HTTP status. */
  readonly status: number
  /** What NATS calls `err_code`. */
  readonly code: number

  constructor({ status, code, message }: { readonly status: number; readonly code: number; readonly message: string }) {
    super(message)
    this.status = status
    this.code = code
  }
}

/** The codes of JetStream that mean something to us (`server/errors.json` of nats-server). */
export const refusals = {
  consumerNotFound: 10014,
  noMessageFound: 10037,
  notEnabledForAccount: 10039,
  notEnabled: 10076,
  storageFull: 10047,
  tooLarge: 10054,
  otherConfiguration: 10058,
  streamNotFound: 10059,
  subjectsOverlap: 10065,
  wrongSequence: 10071,
  replicasNeedCluster: 10074,
  streamFull: 10077,
} as const

/** Whether somebody else has written since what was to be written over. */
export function isOvertaken(error: unknown): boolean {
  return error instanceof Refused && error.code === refusals.wrongSequence
}

/** Whether it may be otherwise a moment later: not where a server has no JetStream, where a stream has no leader it is. */
export function mayPass(error: unknown): boolean {
  if (error instanceof Unanswered) {
    if (error.why === 'nobody') return !error.subject.startsWith('$JS.API')
    return error.why === 'lost' || error.why === 'silent'
  }
  return error instanceof Refused && error.status === 503 && !lasting.has(error.code)
}

/** Whether something may have been done, though the broker does not say so. */
export function mayHaveArrived(error: unknown): boolean {
  if (error instanceof Refused) return false
  if (!(error instanceof Unanswered)) return true // An answer that nobody can read.
  return error.why !== 'nobody' && error.why !== 'forbidden'
}

/** Refusals that say 503, and go on until somebody does something about it. */
const lasting: ReadonlySet<number> = new Set([
  refusals.notEnabled,
  refusals.notEnabledForAccount,
  refusals.storageFull,
  refusals.streamFull,
])
