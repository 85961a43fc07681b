import { LuciliusError } from '../../errors.js'
import { fromWireError } from '../../wire-error.js'
import type { ChildMessage } from '../ipc.js'

/** Milliseconds in which a process says what its store answers: it may have to find a broker again. */
const ANSWER_MS = 30_000

type Answer = Extract<ChildMessage, { readonly type: 'answer' }>

/** What one process was asked, and has not answered yet. */
export class Questions {
  readonly #waiting = new Map<number, (answer: Omit<Answer, 'type'>) => void>()
  #last = 0

  /** Asks something by `send`. Rejects with what it was answered, `LUC_DEADLINE_EXCEEDED` or `LUC_REPLY_LOST`. */
  ask(send: (id: number) => void, limitMs = ANSWER_MS): Promise<unknown> {
    const id = ++this.#last
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(id)
        reject(new LuciliusError('LUC_DEADLINE_EXCEEDED', `No answer within ${limitMs} ms.`))
      }, limitMs)
      this.#waiting.set(id, ({ reply, error }) => {
        clearTimeout(timer)
        if (error === undefined) resolve(reply)
        else reject(fromWireError(error))
      })
      send(id)
    })
  }

  /** Takes an answer. One that nobody waits for any more is nothing. */
  answered(answer: Omit<Answer, 'type'>): void {
    const settle = this.#waiting.get(answer.id)
    this.#waiting.delete(answer.id)
    settle?.(answer)
  }

  /** The process has ended: nothing is answered any more. */
  lost(): void {
    const error = {
      code: 'LUC_REPLY_LOST',
      message: 'The process that was asked has ended.',
      handled: 'unknown',
    } as const
    for (const id of [...this.#waiting.keys()]) this.answered({ id, error })
  }
}
