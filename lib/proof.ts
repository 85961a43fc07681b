import { randomBytes } from 'node:crypto'
import { LuciliusError } from './errors.js'
import { isSameText, proofOf, readProofFields, writeProofFields } from './proof-text.js'

/** The connecting half of one proof: each attempt to connect has its own. Both ends prove that they know a secret. */
export interface Proof {
  /** What is said first: a value of the `Authorization` header. It tells nothing of the secret. */
  readonly hello: string
  /**
   * The listener's challenge (its `WWW-Authenticate` header; undefined if it let this side in without one) gives the
   * value of `Authorization` to connect with. Throws `LUC_UNAUTHENTICATED` if it does not prove that the listener knows
   * the secret: nothing may then be told to it.
   */
  answer(challenge: string | undefined): string
}

/** Begins a proof. */
export function beginProof(secret: string): Proof {
  const hello = randomBytes(18).toString('base64url')
  return {
    hello: writeProofFields({ hello }),
    answer: (challenge) => {
      const fields = challenge === undefined ? undefined : readProofFields(challenge)
      const nonce = fields?.get('nonce') ?? ''
      if (!isSameText(fields?.get('proof') ?? '', proofOf(secret, 'listener', hello, nonce))) throw unproved()
      return writeProofFields({ hello, nonce, proof: proofOf(secret, 'connector', hello, nonce) })
    },
  }
}

function unproved(): LuciliusError {
  return new LuciliusError(
    'LUC_UNAUTHENTICATED',
    'The listener did not prove that it knows the secret. Nothing was told to it: give the same secret to both sides.',
  )
}
