import type { Test } from 'tap'
import { administering } from './administering.js'
import { delivering } from './delivering.js'
import { failing } from './failing.js'
import { ordering } from './ordering.js'
import { randomly } from './randomly.js'
import { retaining } from './retaining.js'
import type { StoreStage } from './stage.js'
import { verdicts } from './verdicts.js'

/** What lib/store.ts promises, as tests: every store keeps the same promises, and says which it cannot keep. */
export function storeSuite(t: Test, stage: StoreStage): void {
  const parts = { delivering, verdicts, ordering, retaining, administering, failing, randomly }
  for (const [name, part] of Object.entries(parts)) {
    t.test(`${stage.name}: ${name}`, async (t) => {
      part(t, stage)
    })
  }
}
