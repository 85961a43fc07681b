import { type App, LuciliusError } from 'lucilius'
import './contracts.js'

/** How lively the market is. */
export interface MarketOptions {
  readonly everyMs: number
  /** The same seed gives the same moves. */
  readonly seed: number
}

/** A simulated market: a random walk moves one rate after the other. Nothing here comes from a real market. */
export function market(app: App, { everyMs, seed }: MarketOptions) {
  const random = randomFrom(seed)
  let timer: NodeJS.Timeout | undefined

  async function move(): Promise<void> {
    const others = (await app.act('role:rates,cmd:list')).filter(({ currency }) => currency !== 'eur')
    const chosen = others[Math.floor(random() * others.length)]
    if (chosen === undefined) return
    const rate = chosen.rate * (1 + (random() - 0.5) / 50) // at most 1 percent up or down
    await app.act('role:rates,cmd:set', { currency: chosen.currency, rate: Number(rate.toPrecision(6)) })
  }

  /** Says once that nobody takes its moves, and once that somebody does again: not at each of them. */
  let isMissing = false
  function tell(error?: Error): void {
    if (isMissing === (error !== undefined)) return
    isMissing = !isMissing
    if (error === undefined) app.log.info('the market moves again')
    else app.log.warn(`the market cannot move: ${error.message}`)
  }

  app.onReady(() => {
    app.log.info('the market is simulated: a random walk from made-up rates')
    timer = setInterval(() => {
      move().then(
        () => tell(),
        (error) => {
          if (error instanceof LuciliusError && error.code === 'LUC_SERVICE_CLOSED') return // the day is over
          tell(error)
        },
      )
    }, everyMs)
  })
  app.onClose(() => clearInterval(timer))
}

/** Numbers from 0 up to 1 by a linear congruential generator: enough for a simulation, never for secrets. */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}
