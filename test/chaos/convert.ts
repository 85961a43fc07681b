import type { App } from '../../lib/index.js'
import { kinds } from '../faults/tally.js'
import type { Conditions } from './conditions.js'
import { writesDown } from './ledger.js'

/** Asks rates to do the work. */
export function convert(app: App, { folder }: Conditions): void {
  const writeDown = writesDown(folder, 'convert')
  for (const kind of kinds) {
    app.add(`role:convert,cmd:${kind}`, { idempotent: kind === 'again' }, async ({ id, ms }, context) => {
      writeDown(id)
      return context.act(`role:rates,cmd:${kind}`, { id, ms })
    })
  }
}
