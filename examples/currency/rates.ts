import { ActionError, type App } from 'lucilius'
import type { Rate } from './contracts.js'

/** Units for one euro to begin with. Made up for this example: no market data. */
const samples = { eur: 1, usd: 1.1, gbp: 0.85, chf: 0.95, jpy: 160 }

/** Decides which rate holds. There is one of it: whoever has an opinion proposes it here. */
export function rates(app: App) {
  const held = new Map<string, Rate>()
  for (const [currency, rate] of Object.entries(samples)) held.set(currency, { currency, rate, at: Date.now() })

  app.add('role:rates,cmd:list', () => [...held.values()])

  app.add('role:rates,cmd:get', ({ currency }) => {
    const rate = held.get(currency)
    if (rate !== undefined) return rate
    throw new ActionError('CURRENCY_UNKNOWN', `There is no rate for ${currency}`, { currency, known: [...held.keys()] })
  })

  app.add('role:rates,cmd:set', async ({ currency, rate }, { emit }) => {
    if (!/^[a-z]{3}$/.test(currency)) {
      throw new ActionError('CURRENCY_INVALID', `A currency has three small letters, not '${currency}'`, { currency })
    }
    if (currency === 'eur' || !(Number.isFinite(rate) && rate > 0)) {
      throw new ActionError('RATE_REFUSED', `The rate of ${currency} cannot be ${rate}`, { currency, rate })
    }
    // The moment only grows, so that everybody can tell which of two rates is the newer one.
    const changed = { currency, rate, at: Math.max(Date.now(), (held.get(currency)?.at ?? 0) + 1) }
    held.set(currency, changed)
    await emit('role:rates,event:changed', changed)
    return changed
  })
}
