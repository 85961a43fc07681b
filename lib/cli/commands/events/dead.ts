import { exitCodes } from '../../exit-codes.js'
import type { Io } from '../../io.js'
import { deadLetterLines } from '../../print/events.js'
import { printJson } from '../../print/json.js'
import { reachStore } from '../../reach/store.js'
import type { EventsOptions } from '../events.js'
import { checkSubscription } from './subscription.js'

/** Options of `lucilius events dead`. */
export interface DeadOptions extends EventsOptions {
  /** How many are listed at most. */
  readonly limit?: number
}

/** Dead letters that are listed unless told otherwise. */
const LIMIT = 100

/** Lists dead letters, oldest first. */
export async function dead([subscription]: readonly string[], options: DeadOptions, io: Io): Promise<number> {
  const { limit = LIMIT } = options
  const { admin, close } = await reachStore(options, io)
  try {
    const wish = { limit: limit + 1, ...(subscription === undefined ? {} : { subscription }) }
    const found = await admin.deadLetters(wish)
    if (found.length === 0 && subscription !== undefined) await checkSubscription(subscription, admin)
    const letters = found.slice(0, limit)
    if (options.json === true) printJson(letters, io)
    else if (letters.length > 0) {
      for (const line of deadLetterLines(letters, io.color)) io.stdout.write(`${line}\n`)
    } else io.stderr.write('lucilius: There are no dead letters.\n')
    if (found.length > limit) io.stderr.write(`lucilius: There are more than ${limit}: see --limit.\n`)
    return exitCodes.done.code
  } finally {
    await close()
  }
}
