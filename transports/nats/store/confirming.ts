import type { Link } from './link.js'
import { pause } from './on-abort.js'
import { Unanswered } from './unanswered.js'

/** What is said of a delivery, in JetStream's words. */
export const words = {
  done: '+ACK',
  dead: '+TERM',
  atWork: '+WPI',
  back: '-NAK',
  after: (ms: number) => `-NAK ${JSON.stringify({ delay: Math.round(ms * 1e6) })}`,
} as const

/** What is to be said, and for how long it matters. */
export interface Saying {
  readonly word: string
  /** Where to: the delivery's own subject, which is another one when it was delivered once more. */
  reply(): string
  /** The broker delivers it to somebody else from now on. */
  isLate(): boolean
  /** It is worth saying even then: it was handled, whoever has it now. */
  readonly stubborn: boolean
}

const pauseMs = 100

/** Says it until the broker has confirmed it, over lost connections too. Resolves with whether it did; never rejects. */
export async function confirm(link: Link, { word, reply, isLate, stubborn }: Saying): Promise<boolean> {
  for (;;) {
    try {
      if (!link.isUp) await link.whenUp()
      if (isLate() && !stubborn) return false
      await link.ask(reply(), word)
      return true
    } catch (error) {
      const why = error instanceof Unanswered ? error.why : 'closed'
      if (why === 'closed' || why === 'forbidden') return false
      if (why === 'nobody' && isLate()) return false // The subscription was removed.
      if (why !== 'lost') await pause(pauseMs)
    }
  }
}
