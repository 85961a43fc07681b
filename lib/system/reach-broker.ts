import { setTimeout as pause } from 'node:timers/promises'
import { LuciliusError } from '../errors.js'
import type { Logger } from '../logger.js'
import { pauseMs } from '../peers/pace.js'
import type { Discovery, Transport } from '../transport.js'
import type { BrokerName } from './transports-used.js'

/** What the broker of a name is called, and which variables say who we are to it. */
const brokers = {
  nats: { what: 'NATS', proof: 'LUCILIUS_NATS_CREDS, LUCILIUS_NATS_USER and _PASSWORD, _TOKEN or _NKEY' },
  amqp: { what: 'RabbitMQ', proof: 'user and password in LUCILIUS_AMQP_URL' },
} as const satisfies { [name in BrokerName]: object }

/**
 * Waits until a broker answers: whoever starts first waits for the other. What keeps it from that is told once for each
 * kind of trouble, and then only to those who look for it. Gives what holds the connection, to be closed.
 *
 * Rejects with what no second try changes: `LUC_UNAUTHENTICATED` and `LUC_FORBIDDEN`, which name the variables to set,
 * `LUC_OPTIONS_INVALID`, and `LUC_SERVICE_CLOSED` once the signal aborts.
 */
export async function reachBroker(
  name: BrokerName,
  transport: Transport,
  log: Logger,
  signal: AbortSignal,
): Promise<Discovery> {
  const { what, proof } = brokers[name]
  const began = performance.now()
  let told: string | undefined
  for (;;) {
    if (signal.aborted) throw new LuciliusError('LUC_SERVICE_CLOSED', `${what} is looked for no more.`)
    try {
      const answered = await answer(transport)
      if (told !== undefined) log.info(`${what} answers`)
      return answered
    } catch (error) {
      if (!(error instanceof LuciliusError) || error.code === 'LUC_OPTIONS_INVALID') throw error
      if (error.code === 'LUC_UNAUTHENTICATED' || error.code === 'LUC_FORBIDDEN') {
        throw new LuciliusError(error.code, `${error.message} Set ${proof}.`, { cause: error })
      }
      log[error.code === told ? 'debug' : 'warn'](`${what} cannot be reached, trying again: ${error.message}`)
      told = error.code
    }
    await pause(pauseMs(began), undefined, { signal }).catch(() => {}) // it aborts: see above
  }
}

/** Looks for whoever is there: that somebody was found is enough, for whoever looks for all does so again. */
function answer(transport: Transport): Promise<Discovery> {
  return new Promise((resolve, reject) => {
    const reached = () => resolve({ close: async () => (await searching).close() })
    const searching = (transport.discover as NonNullable<Transport['discover']>)({ found: reached, gone: () => {} }) // it is a broker
    searching.then(reached, reject)
  })
}
