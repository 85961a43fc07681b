import { ActionError, type App } from 'lucilius'
import './contracts.js'

/** The yen has no cents: a special case, added without a change to `convert` or to those who ask it. */
export function yen(app: App) {
  app.add('role:convert,cmd:amount,to:jpy', { idempotent: true }, async ({ amount }, { prior }) => {
    const reply = await prior()
    if (reply === undefined) throw new ActionError('CONVERT_MISSING', 'Nobody converts amounts')
    // From the rate, for rounding what was rounded to cents before could be one yen off.
    return { ...reply, amount: Math.round(amount * reply.rate) }
  })
}
