import { parseMessage } from '../../message-text.js'
import { toPattern } from '../../pattern.js'
import type { Connection } from './connection.js'
import type { DotName, Typed } from './dot-commands.js'
import type { Answered, Voice } from './voice.js'

/** What the commands that are asked of what runs are called; the others are the prompt's own. */
export type AskedName = Exclude<DotName, '.more' | '.history' | '.help' | '.exit'>

/** A line that is asked of what runs. */
export type Asked = Extract<Typed, { readonly kind: 'message' }> | (Typed & { readonly name: AskedName })

/** Whether a line is asked of what runs. */
export function isAsked(typed: Typed): typed is Asked {
  return typed.kind === 'message' || ['.list', '.explain', '.trace'].includes(typed.name)
}

/**
 * Does what a line asks for, and tells what came of it. What is typed is data: it is read by `parseMessage` and
 * `toPattern`, and nothing of it is run. Resolves with whether it went well; never rejects.
 */
export async function heed(typed: Asked, connection: Connection, voice: Voice, signal: AbortSignal): Promise<boolean> {
  let answered: Answered | undefined
  try {
    if (typed.kind === 'message') {
      const message = parseMessage(typed.text)
      const system = await connection.system()
      const reply = await system.act(message, undefined, {
        signal,
        answered: (by, ms) => {
          answered = { by, ms }
        },
      })
      voice.reply(reply, answered)
    } else await doIt(typed.name, typed.rest, connection, voice)
    return true
  } catch (error) {
    voice.failure(error, answered)
    return false
  }
}

async function doIt(name: AskedName, rest: string, connection: Connection, voice: Voice): Promise<void> {
  switch (name) {
    case '.list': {
      const pattern = rest === '' ? undefined : rest
      if (pattern !== undefined) toPattern(pattern)
      return voice.list(await (await connection.system()).list(pattern))
    }
    case '.explain': {
      const message = parseMessage(rest)
      return voice.explanation(await (await connection.system()).explain(message))
    }
    case '.trace':
      if (rest === 'on') return voice.traced(await connection.trace((batch) => voice.passed(batch)))
      await connection.untrace()
      return voice.traced(undefined)
  }
}
