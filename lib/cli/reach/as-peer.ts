import type { App } from '../../app.js'
import type { Auth } from '../../auth.js'
import { hearingCarried } from '../../dispatch/carried.js'
import { LuciliusError } from '../../errors.js'
import { silentLogger } from '../../logger.js'
import { lucilius } from '../../lucilius.js'
import type { Message } from '../../message.js'
import type { Transport } from '../../transport.js'
import { ClientsOnly } from './clients-only.js'
import type { ListenerAt } from './listener-url.js'
import type { ActWatch, Reached } from './reached.js'

/** Learns from a listener for peers what it answers. */
export async function asPeer({ transport }: ListenerAt, auth: Auth | undefined): Promise<Reached> {
  const app = lucilius({ logger: silentLogger, parity: 'off', drainMs: 1 })
  const { once, failed } = firstTry(transport)
  try {
    await Promise.race([app.connect(once, auth === undefined ? {} : { auth }), failed])
  } catch (error) {
    await app.close()
    if (error instanceof LuciliusError && error.code === 'LUC_FORBIDDEN') throw new ClientsOnly()
    throw error
  }
  return {
    act: (message, timeoutMs, watch = {}) => watchedAct(app, message, timeoutMs, watch),
    list: async (pattern) => app.list(pattern),
    explain: async (message) => app.explain(message),
    close: () => app.close(),
  }
}

async function watchedAct(
  app: App,
  message: Message,
  timeoutMs: number | undefined,
  { signal, answered }: ActWatch,
): Promise<unknown> {
  let by: string | undefined
  const options = { ...(timeoutMs === undefined ? {} : { timeoutMs }), ...(signal === undefined ? {} : { signal }) }
  const begin = performance.now()
  try {
    return await app.act(
      message,
      {},
      hearingCarried(options, (where) => {
        if (where !== 'here') by = where.name
      }),
    )
  } finally {
    answered?.(by, performance.now() - begin)
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
