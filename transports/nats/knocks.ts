import { LuciliusError } from '../../lib/transport-kit.js'

/** Stands in the place of a line where the answer to a knock goes. */
export const KNOCK = 'knock'

interface Knock {
  readonly subject: string
  readonly end: (error?: LuciliusError) => void
}

/** Questions whether somebody answers requests to a subject: requests without a message. */
export class Knocks {
  readonly #waiting = new Map<number, Knock>()
  #count = 0

  /** Asks: `publish` sends the request with that number. Rejects with `LUC_UNREACHABLE`, `LUC_FORBIDDEN`. */
  ask(subject: string, limitMs: number, publish: (id: number) => void): Promise<void> {
    const id = ++this.#count
    return new Promise((resolve, reject) => {
      publish(id)
      const end = (error?: LuciliusError) => {
        clearTimeout(timer)
        this.#waiting.delete(id)
        if (error === undefined) resolve()
        else reject(error)
      }
      const timer = setTimeout(() => end(unanswered(subject, `not within ${limitMs} ms`)), limitMs)
      this.#waiting.set(id, { subject, end })
    })
  }

  answered(id: number, isThere: boolean): void {
    const knock = this.#waiting.get(id)
    knock?.end(isThere ? undefined : unanswered(knock.subject, 'nobody is there'))
  }

  /** The server does not permit to ask there. */
  forbidden(subject: string, error: LuciliusError): void {
    for (const knock of [...this.#waiting.values()]) if (knock.subject === subject) knock.end(error)
  }

  lost(): void {
    for (const { subject, end } of [...this.#waiting.values()]) end(unanswered(subject, 'the connection was lost'))
  }
}

function unanswered(subject: string, why: string): LuciliusError {
  return new LuciliusError('LUC_UNREACHABLE', `Requests to ${subject} are not answered: ${why}.`)
}
