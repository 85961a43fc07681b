import { setTimeout as pause } from 'node:timers/promises'
import type { App, Message } from '../../lib/index.js'
import { kinds } from '../faults/tally.js'
import type { Conditions } from './conditions.js'
import { writesDown } from './ledger.js'

/** Does the work. */
export function rates(app: App, { folder }: Conditions): void {
  const writeDown = writesDown(folder, 'rates')
  const perform = async ({ id, ms }: Message) => {
    writeDown(id)
    await pause(Number(ms))
    return { id }
  }
  for (const kind of kinds) app.add(`role:rates,cmd:${kind}`, { idempotent: kind === 'again' }, perform)
}
