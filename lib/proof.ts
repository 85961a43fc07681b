import { randomBytes } from 'node:crypto'
import { LuciliusError } from './errors.js'
import { isSameText, proofOf, readProofFields, writeProofFields } from './proof-text.js'

/** Characters of what a listener says that are repeated: it may be anybody. */
const MOST_SAID = 500

/** The connecting half of one proof: each attempt to connect has its own. Both ends prove that they know a secret. */
export interface Proof {
  /** What is said first: a value of the `Authorization` header. It tells nothing of the secret. */
  readonly hello: string
  /**
   * The listener's challenge (its `WWW-Authenticate` header; undefined if it let this side in without one) gives the
   * value of `Authorization` to connect with. Throws `LUC_UNAUTHENTICATED` if it does not prove that the listener knows
   * the secret and is the one that was dialled: nothing may then be told to it. `said` is the message with which it refused
   * the hello, for whoever looks for the reason.
   */
  answer(challenge: string | undefined, said?: string | undefined): string
}

/** Begins a proof. `authority` is the `Host` that is sent, empty where there is none. */
export function beginProof(secret: string, authority: string): Proof {
  const hello = randomBytes(18).toString('base64url')
  return {
    hello: writeProofFields({ hello }),
    answer: (challenge, said) => {
      const fields = challenge === undefined ? undefined : readProofFields(challenge)
      const nonce = fields?.get('nonce') ?? ''
      const proof = fields?.get('proof') ?? ''
      if (!isSameText(proof, proofOf(secret, 'listener', hello, nonce, authority))) {
        throw unproved(fields === undefined ? said : undefined)
      }
      return writeProofFields({ hello, nonce, proof: proofOf(secret, 'connector', hello, nonce, authority) })
    },
  }
}

function unproved(said: string | undefined): LuciliusError {
  return new LuciliusError(
    'LUC_UNAUTHENTICATED',
    `The listener did not prove that it knows the secret. Nothing was told to it: give the same secret to both sides, and let nothing in between change 'Host'.${said === undefined ? '' : ` It said: ${said.slice(0, MOST_SAID)}`}`,
  )
}
