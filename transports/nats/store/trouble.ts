import { type Handled, LuciliusError } from '../../../lib/transport-kit.js'
import { Refused, refusals, Unanswered } from './unanswered.js'

/**
 * What failed, as the core is told it: `LUC_STORE_FAILED`, with the way out where there is one. `doing` begins the sentence:
 * `Event 'x' was not stored`.
 */
export function toTrouble(doing: string, error: unknown, handled: Handled = 'no'): LuciliusError {
  if (error instanceof LuciliusError) return error
  return new LuciliusError('LUC_STORE_FAILED', `${doing}: ${reasonOf(error)}`, { handled, cause: error })
}

function reasonOf(error: unknown): string {
  if (error instanceof Unanswered) return reasonOfSilence(error)
  if (error instanceof Refused) return adviceOn[error.code] ?? `JetStream answers '${error.message}' (${error.code}).`
  return error instanceof Error ? error.message : String(error)
}

function reasonOfSilence({ why, message, subject }: Unanswered): string {
  if (why === 'nobody' && subject.startsWith('$JS.API')) return notEnabled
  if (why === 'forbidden') return `${message}. docs/nats.md lists what the store asks of a user's permissions.`
  return `${message}.`
}

const notEnabled =
  'JetStream is not enabled on the NATS server. Start it with `nats-server -js` (and `-sd` for the folder of its data), ' +
  'or with a `jetstream {}` block in its configuration.'

const adviceOn: { readonly [code: number]: string } = {
  [refusals.notEnabledForAccount]: 'JetStream is not enabled for the account of this NATS user. Enable it there.',
  [refusals.notEnabled]: notEnabled,
  [refusals.storageFull]:
    'the server has no room left for JetStream. Raise `max_file_store`, or delete what is not needed.',
  [refusals.streamFull]:
    "its stream is full, and nothing is dropped that was stored. Raise 'maxBytes' of the store, or lower 'maxAgeMs'.",
  [refusals.subjectsOverlap]: 'another stream of the account has its subjects (lucilius.<space>.…). Change that one.',
  [refusals.replicasNeedCluster]: "the server runs alone, and 'replicas' above 1 need a cluster. Leave it at 1.",
}
