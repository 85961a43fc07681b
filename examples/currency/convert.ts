import { ActionError, type App } from 'lucilius'
import type { Rate } from './contracts.js'

/** Converts amounts. Each instance keeps a copy of all rates, so that a conversion asks nobody. */
export function convert(app: App) {
  const copy = new Map<string, Rate>()

  function take(news: Rate) {
    // The list and the news may cross each other on the way: the newer rate stays.
    const known = copy.get(news.currency)
    if (known === undefined || known.at < news.at) copy.set(news.currency, news)
  }

  function rateOf(currency: string): number {
    const known = copy.get(currency)
    if (known !== undefined) return known.rate
    throw new ActionError('CURRENCY_UNKNOWN', `There is no rate for ${currency}`, { currency, known: [...copy.keys()] })
  }

  // Every instance has a copy, so every instance gets the news.
  app.on('role:rates,event:changed', { each: 'instance' }, take)
  app.onReady(async () => {
    for (const rate of await app.act('role:rates,cmd:list')) take(rate)
  })

  // The same question twice harms nobody: where an answer is lost with its process, another one may be asked.
  app.add('role:convert,cmd:rate', { idempotent: true }, ({ from, to }) => {
    return { rate: Number((rateOf(to) / rateOf(from)).toPrecision(6)) }
  })

  app.add('role:convert,cmd:amount', { idempotent: true }, async ({ from, to, amount }, { act }) => {
    if (typeof amount !== 'number') throw new ActionError('AMOUNT_INVALID', 'The amount is no number', { amount })
    const { rate } = await act('role:convert,cmd:rate', { from, to })
    return { amount: Math.round(amount * rate * 100) / 100, currency: to, rate }
  })
}
