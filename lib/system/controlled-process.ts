import type { Controlled } from './control/controlled.js'
import { lookingOn } from './passing.js'
import type { Running } from './run.js'
import { askingStore } from './store-questions.js'
import { storeToAsk } from './store-to-ask.js'

/** What a control socket gives access to in a process that runs services itself. */
export function controlledProcess(running: Running): Omit<Controlled, 'about'> {
  const { id, host } = running
  return {
    app: host.app,
    store: askingStore(() => storeToAsk(host)),
    lookOn: lookingOn(running),
    // Of its peers it knows the groups.
    processOf: (where) => (where === 'here' ? id : where.name),
  }
}
