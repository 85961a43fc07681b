import { type Context, type Handler, LuciliusError, type Message } from '../../lib/index.js'
import type { Ended, Replies, Run } from './replies.js'

/** Goes around a handler: gives a remembered reply, waits for one that is being made, or makes it. */
export function shared(
  next: Handler,
  replies: Replies,
  keyOf: (message: Message, context: Context) => string,
): Handler {
  return async (message, context) => {
    const key = keyOf(message, context)
    for (;;) {
      const known = replies.get(key)
      if (known !== undefined) return known.reply
      const run = replies.run(key)
      if (run === undefined) return lead(next, message, context, replies, key)
      const ended = await run
      // Whoever gave up while waiting must not be the one that runs now.
      if (context.signal.aborted) throw context.signal.reason
      if (ended === 'abandoned') continue
      if ('error' in ended) throw ended.error
      return ended.reply
    }
  }
}

/** Runs the handler for everybody who waits with the same key. */
async function lead(
  next: Handler,
  message: Message,
  context: Context,
  replies: Replies,
  key: string,
): Promise<unknown> {
  const { signal } = context
  let settle = (_: Ended): void => {}
  const run: Run = new Promise((resolve) => {
    settle = resolve
  })
  const end = (ended: Ended) => {
    signal.removeEventListener('abort', abandon)
    replies.end(key, run, ended)
    settle(ended)
  }
  const abandon = () => end('abandoned')
  signal.addEventListener('abort', abandon, { once: true })
  replies.begin(key, run)
  try {
    const reply = await next(message, context)
    end(kept(reply))
    return reply
  } catch (error) {
    end(isAboutMessage(error) ? 'abandoned' : { error })
    throw error
  }
}

/** The schema looked at more than the keys: what it says of one message is not true of others with equal keys. */
function isAboutMessage(error: unknown): boolean {
  return error instanceof LuciliusError && error.code === 'LUC_MESSAGE_INVALID'
}

/** A copy that neither the handler nor a caller can change, or why there is none. */
function kept(reply: unknown): Ended {
  try {
    return { reply: frozen(structuredClone(reply)) }
  } catch (error) {
    return { error }
  }
}

function frozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  Object.freeze(value)
  for (const inner of Object.values(value)) frozen(inner)
  return value
}
