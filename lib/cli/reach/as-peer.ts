import type { Auth } from '../../auth.js'
import { LuciliusError } from '../../errors.js'
import { silentLogger } from '../../logger.js'
import { lucilius } from '../../lucilius.js'
import type { Transport } from '../../transport.js'
import { CommandError } from '../errors.js'
import type { ListenerAt } from './listener-url.js'
import type { Reached } from './reached.js'

/** Learns from a listener for peers what it answers. */
export async function asPeer({ transport }: ListenerAt, auth: Auth | undefined): Promise<Reached> {
  const app = lucilius({ logger: silentLogger, parity: 'off', drainMs: 1 })
  const { once, failed } = firstTry(transport)
  try {
    await Promise.race([app.connect(once, auth === undefined ? {} : { auth }), failed])
  } catch (error) {
    await app.close()
    if (error instanceof LuciliusError && error.code === 'LUC_FORBIDDEN') throw clientsOnly()
    throw error
  }
  return {
    act: (message, timeoutMs) => app.act(message, {}, timeoutMs === undefined ? {} : { timeoutMs }),
    list: async (pattern) => app.list(pattern),
    explain: async (message) => app.explain(message),
    close: () => app.close(),
  }
}

/** An app tries until it is closed. A command wants to know of the first failure. */
function firstTry(transport: Transport): { readonly once: Transport; readonly failed: Promise<never> } {
  let fail: (error: unknown) => void
  const failed = new Promise<never>((_, reject) => {
    fail = reject
  })
  failed.catch(() => {}) // Nobody waits for it any more once the connection is there.
  const connect: Transport['connect'] = async (observer) => {
    try {
      return await transport.connect(observer)
    } catch (error) {
      fail(error)
      throw error
    }
  }
  return { once: { ...transport, connect }, failed }
}

function clientsOnly(): CommandError {
  const advice = 'Name a listener for peers, with LUCILIUS_SECRET if it asks for one.'
  return new CommandError('failed', `This listener is for clients, and tells nothing of what it answers. ${advice}`)
}
