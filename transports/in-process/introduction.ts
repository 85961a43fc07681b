import { type Credentials, challengeOf, LuciliusError, type Observer } from '../../lib/transport-kit.js'

/** Asks a listener who somebody is: what it gets is a value of an `Authorization` header. */
type Ask = (authorization: string | undefined) => Promise<Credentials>

/** Says who an observer is. One that wants the listener to prove itself first says hello, and answers its challenge. */
export async function introduce({ authorization, prove }: Observer, ask: Ask): Promise<Credentials> {
  if (prove === undefined) return ask(authorization)
  // Nobody is dialled within a process, and nobody can stand between.
  const proof = prove('')
  return ask(proof.answer(await challenge(ask, proof.hello)))
}

/** What is answered to a hello; undefined if whoever says it is let in. */
async function challenge(ask: Ask, hello: string): Promise<string | undefined> {
  try {
    await ask(hello)
    return undefined
  } catch (error) {
    if (error instanceof LuciliusError && error.code === 'LUC_UNAUTHENTICATED') return challengeOf(error)
    throw error
  }
}
