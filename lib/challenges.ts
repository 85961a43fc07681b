import { createHmac, randomBytes } from 'node:crypto'
import { LuciliusError } from './errors.js'
import { isSameText, proofOf, readProofFields, writeProofFields } from './proof-text.js'

/** Milliseconds in which a challenge is to be answered. */
const FRESH_MS = 10_000

/** How many answered challenges are remembered at most. */
const MOST_SPENT = 4096

const TIME_BYTES = 6
const RANDOM_BYTES = 18
const STAMP_BYTES = TIME_BYTES + RANDOM_BYTES

/** What the other end chose: 18 bytes at least. */
const HELLO = /^[\w-]{24,128}$/

/**
 * The listening half of a proof: challenges whoever says hello, and takes each answer once.
 *
 * A challenge is not remembered. It says itself when it was made and for which hello, signed by a key that only this
 * object has, so a flood of hellos costs no memory; only answers that prove the secret do, for as long as they are fresh.
 */
export class Challenges {
  readonly #secret: string
  readonly #now: () => number
  readonly #key = randomBytes(32)
  readonly #spent = new Map<string, number>()
  /** Challenges of this time and before are taken no more. */
  #staleUntil = -1

  /** `now` gives milliseconds that never go back. */
  constructor(secret: string, now: () => number = () => performance.now()) {
    this.#secret = secret
    this.#now = now
  }

  /**
   * Whether a value of `Authorization` proves the secret. Throws `LUC_UNAUTHENTICATED`, with the challenge, at a hello.
   *
   * `dialled` gives the authority that both proofs cover, or throws, which refuses: it is asked where there is one to be made
   * or checked.
   */
  accept(authorization: string, dialled: () => string): boolean {
    const fields = readProofFields(authorization)
    const hello = fields?.get('hello')
    if (fields === undefined || hello === undefined || !HELLO.test(hello)) return false
    const nonce = fields.get('nonce')
    const proof = fields.get('proof')
    if (nonce === undefined && proof === undefined) throw this.#challenge(hello, dialled())
    if (nonce === undefined || proof === undefined) return false
    const madeAt = this.#freshTime(hello, nonce)
    if (madeAt === undefined) return false
    if (!isSameText(proof, proofOf(this.#secret, 'connector', hello, nonce, dialled()))) return false
    return this.#spend(nonce, madeAt)
  }

  #challenge(hello: string, authority: string): LuciliusError {
    const stamp = randomBytes(STAMP_BYTES)
    stamp.writeUIntBE(Math.floor(this.#now()), 0, TIME_BYTES)
    const nonce = this.#sign(hello, stamp)
    const proof = proofOf(this.#secret, 'listener', hello, nonce, authority)
    return new LuciliusError('LUC_UNAUTHENTICATED', 'Prove that you know the secret: answer the challenge.', {
      details: { challenge: writeProofFields({ nonce, proof }) },
    })
  }

  /** When a challenge was made: undefined if it is not ours, was for another hello, is too old or was taken before. */
  #freshTime(hello: string, nonce: string): number | undefined {
    const stamp = Buffer.from(nonce, 'base64url').subarray(0, STAMP_BYTES)
    if (stamp.length < STAMP_BYTES || !isSameText(nonce, this.#sign(hello, stamp))) return undefined
    const madeAt = stamp.readUIntBE(0, TIME_BYTES)
    const isFresh = madeAt > this.#staleUntil && this.#now() - madeAt <= FRESH_MS && !this.#spent.has(nonce)
    return isFresh ? madeAt : undefined
  }

  #sign(hello: string, stamp: Buffer): string {
    const mac = createHmac('sha256', this.#key).update(hello).update('\n').update(stamp).digest()
    return Buffer.concat([stamp, mac.subarray(0, RANDOM_BYTES)]).toString('base64url')
  }

  #spend(nonce: string, madeAt: number): true {
    if (this.#spent.size >= MOST_SPENT) this.#forget()
    this.#spent.set(nonce, madeAt)
    return true
  }

  /** What is too old need not be remembered. If that is not enough, all that was handed out until now is too old. */
  #forget(): void {
    const now = this.#now()
    for (const [nonce, madeAt] of this.#spent) if (now - madeAt > FRESH_MS) this.#spent.delete(nonce)
    if (this.#spent.size < MOST_SPENT) return
    this.#spent.clear()
    this.#staleUntil = Math.floor(now)
  }
}
