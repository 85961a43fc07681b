import { ActionError, type Context, type Handler, LuciliusError } from '../../lib/index.js'

/** What is known of an act when it has ended. */
export interface Line {
  /** The canonical text of the action's pattern. */
  readonly pattern: string
  /** The id of the message. */
  readonly id: string
  /** Milliseconds from the start of the handler, to a microsecond. */
  readonly ms: number
  /** `ok`, or the code of the error. */
  readonly outcome: string
}

/** Goes around a handler and tells once how it ended: by its reply, its error, or because nobody waits any more. */
export function timed(next: Handler, tell: (line: Line, context: Context) => void): Handler {
  return async (message, context) => {
    const { signal } = context
    const began = performance.now()
    let told = false
    const end = (outcome: string) => {
      if (told) return
      told = true
      signal.removeEventListener('abort', onAbort)
      const ms = Math.round((performance.now() - began) * 1000) / 1000
      try {
        tell({ pattern: context.pattern, id: context.meta.id, ms, outcome }, context)
      } catch {
        // A logger that throws loses its line, never the act that it was told of.
      }
    }
    const onAbort = () => end(codeOf(signal.reason))
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      const reply = await next(message, context)
      end('ok')
      return reply
    } catch (error) {
      end(codeOf(error))
      throw error
    }
  }
}

function codeOf(error: unknown): string {
  return error instanceof ActionError || error instanceof LuciliusError ? error.code : 'LUC_ACTION_FAILED'
}
