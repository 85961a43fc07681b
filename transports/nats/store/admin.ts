import { type DeadLetter, encodeStoredEvent, LuciliusError, type StoreAdmin } from '../../../lib/transport-kit.js'
import { toDeadLetter } from './dead-letters.js'
import { keep, NotKept } from './keeping.js'
import type { Known } from './known.js'
import type { Parts } from './parts.js'
import { patiently } from './patiently.js'
import { readStream } from './reading.js'
import { jsonOf, Records, readMessage } from './records.js'
import { report } from './report.js'
import { toTrouble } from './trouble.js'

const replayMs = 10_000

/** What operators ask of the store. All of it rejects with `LUC_STORE_FAILED`. */
export function adminOf(parts: Parts, known: Known, where: string): StoreAdmin {
  const { link, names, streams } = parts
  const letters = new Records(link, names.streams.dead)
  const find = async (id: string): Promise<DeadLetter | undefined> => {
    const seq = sequenceOf(id)
    const message = seq === undefined ? undefined : await readMessage(link, names.streams.dead, { seq })
    return message === undefined ? undefined : toDeadLetter(message.sequence, jsonOf(message.data))
  }

  return {
    report: () => patiently(link, 'The store cannot be looked at', () => report(parts, known, where)),

    deadLetters: ({ subscription, limit, after }) =>
      patiently(link, 'The dead letters cannot be read', async () => {
        const from = (sequenceOf(after) ?? 0) + 1
        const filter = subscription === undefined ? {} : { filter: names.dead(subscription) }
        const found: DeadLetter[] = []
        for await (const { seq, data } of readStream(link, names.streams.dead, { from, most: limit, ...filter })) {
          const letter = toDeadLetter(seq, jsonOf(data))
          if (letter !== undefined) found.push(letter)
        }
        return found
      }),

    deadLetter: (id) => patiently(link, `The dead letter ${id} cannot be read`, () => find(id)),

    replay: async (id) => {
      const doing = `The dead letter ${id} cannot be delivered again`
      const letter = await patiently(link, doing, () => find(id))
      if (letter === undefined) return false
      const { subscription, event, at } = letter
      if (!(await patiently(link, doing, () => known.has(subscription)))) throw withoutSubscription(doing, subscription)
      const keeping = { subject: names.replay(subscription), text: encodeStoredEvent(event), id: `replay.${id}.${at}` }
      try {
        await keep(link, keeping, () => streams.ensure(), AbortSignal.timeout(replayMs))
      } catch (error) {
        throw error instanceof NotKept ? toTrouble(doing, error.cause, error.handled) : error
      }
      await patiently(link, `The dead letter ${id} is delivered again, and cannot be deleted`, () =>
        letters.remove(Number(id)),
      )
      return true
    },

    drop: async (id) => {
      const seq = sequenceOf(id)
      if (seq === undefined) return false
      return patiently(link, `The dead letter ${id} cannot be deleted`, () => letters.remove(seq))
    },

    removeSubscription: (name) =>
      patiently(link, `The subscription ${name} cannot be removed`, () => known.remove(name)),
  }
}

/** The id of a dead letter is its place in the stream. */
function sequenceOf(id: string | undefined): number | undefined {
  const sequence = Number(id)
  return Number.isSafeInteger(sequence) && sequence > 0 ? sequence : undefined
}

function withoutSubscription(doing: string, subscription: string): LuciliusError {
  const message = `${doing}: there is no subscription ${subscription} any more.`
  return new LuciliusError('LUC_STORE_FAILED', message, { handled: 'no' })
}
