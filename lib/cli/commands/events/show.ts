import { exitCodes } from '../../exit-codes.js'
import type { Io } from '../../io.js'
import { deadLetter } from '../../print/events.js'
import { printJson } from '../../print/json.js'
import { reachStore } from '../../reach/store.js'
import type { EventsOptions } from '../events.js'
import { tellUnknown } from './chosen.js'

/** Shows one dead letter: its event, and all that failed. */
export async function show([id = '']: readonly string[], options: EventsOptions, io: Io): Promise<number> {
  const { admin, close } = await reachStore(options, io)
  try {
    const letter = await admin.deadLetter(id)
    if (letter === undefined) return tellUnknown([id], io)
    if (options.json === true) printJson(letter, io)
    else for (const line of deadLetter(letter)) io.stdout.write(`${line}\n`)
    return exitCodes.done.code
  } finally {
    await close()
  }
}
