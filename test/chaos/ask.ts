import { type App, LuciliusError } from '../../lib/index.js'
import { type Asking, startAsking } from './asking.js'
import type { Conditions } from './conditions.js'

/** Asks convert all the time, from its start to its end. */
export function ask(app: App, conditions: Conditions): void {
  let asking: Asking | undefined
  // Said by this app, not by one that it asks.
  const isOwnEnd = (error: unknown) => {
    const isClosing =
      error instanceof LuciliusError && error.code === 'LUC_SERVICE_CLOSED' && error.message.startsWith('ask ')
    if (isClosing) asking?.end()
    return isClosing
  }
  app.onReady(() => {
    asking = startAsking(conditions, (kind, question) => app.act(`role:convert,cmd:${kind}`, { ...question }), isOwnEnd)
  })
  app.onClose(() => asking?.settled())
}
