import { isAgreed } from '../../agree.js'
import { exitCodes } from '../../exit-codes.js'
import type { Io } from '../../io.js'
import { reachStore } from '../../reach/store.js'
import { type ChosenOptions, checkChosen, chosenIds, countOf, doToEach } from './chosen.js'

/** Options of `lucilius events drop`. */
export interface DropOptions extends ChosenOptions {
  /** Do not ask. */
  readonly yes?: boolean
}

/** Forgets dead letters, once whoever types it has agreed. */
export async function drop(ids: readonly string[], options: DropOptions, io: Io): Promise<number> {
  checkChosen(ids, options)
  const { admin, close } = await reachStore(options, io)
  try {
    const chosen = await chosenIds(ids, options, admin)
    const agreed =
      chosen.length === 0 || (await isAgreed(`Drop ${countOf(chosen.length)}? Nothing brings them back.`, options, io))
    if (!agreed) return exitCodes.failed.code
    return await doToEach(chosen, 'dropped', (id) => admin.drop(id), options, io)
  } finally {
    await close()
  }
}
