import { isAgreed } from '../../agree.js'
import { exitCodes } from '../../exit-codes.js'
import type { Io } from '../../io.js'
import { oneLine } from '../../print/harmless-text.js'
import { printJson } from '../../print/json.js'
import { reachStore } from '../../reach/store.js'
import type { EventsOptions } from '../events.js'
import { checkSubscription } from './subscription.js'

/** Options of `lucilius events remove`. */
export interface RemoveOptions extends EventsOptions {
  /** Do not ask. */
  readonly yes?: boolean
}

/** Forgets a subscription and all that waits for it, once whoever types it has agreed. */
export async function remove([name = '']: readonly string[], options: RemoveOptions, io: Io): Promise<number> {
  const { admin, close } = await reachStore(options, io)
  try {
    const { waiting, dead } = await checkSubscription(name, admin)
    const loss = `${waiting} waiting event${waiting === 1 ? '' : 's'} and ${dead} dead letter${dead === 1 ? '' : 's'}`
    if (!(await isAgreed(`Remove ${name} with ${loss}?`, options, io))) return exitCodes.failed.code
    await admin.removeSubscription(name)
    if (options.json === true) printJson({ removed: name }, io)
    else io.stdout.write(`removed ${oneLine(name)}\n`)
    return exitCodes.done.code
  } finally {
    await close()
  }
}
