import type { Io } from '../../io.js'
import { reachStore } from '../../reach/store.js'
import { type ChosenOptions, checkChosen, chosenIds, doToEach } from './chosen.js'

/** Delivers dead letters again, each to its subscription. */
export async function replay(ids: readonly string[], options: ChosenOptions, io: Io): Promise<number> {
  checkChosen(ids, options)
  const { admin, close } = await reachStore(options, io)
  try {
    return await doToEach(await chosenIds(ids, options, admin), 'replayed', (id) => admin.replay(id), options, io)
  } finally {
    await close()
  }
}
