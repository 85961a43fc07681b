import { parseMessage } from '../../message-text.js'
import { tellReplyError } from '../errors.js'
import { exitCodes } from '../exit-codes.js'
import type { Io } from '../io.js'
import { printJson } from '../print/json.js'
import { type ReachOptions, reach } from '../reach/reach.js'

/** Options of `lucilius act`. */
export interface ActOptions extends ReachOptions {
  /** Milliseconds to wait for the reply. */
  readonly timeout?: number
}

/** Sends one message and prints the reply. */
export async function act([text = '']: readonly string[], options: ActOptions, io: Io): Promise<number> {
  const message = parseMessage(text)
  const system = await reach('act', options, io)
  try {
    printJson(await system.act(message, options.timeout), io)
    return exitCodes.done.code
  } catch (error) {
    return await tellReplyError(error, io)
  } finally {
    await system.close()
  }
}
