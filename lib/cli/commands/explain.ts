import { parseMessage } from '../../message-text.js'
import { exitCodes } from '../exit-codes.js'
import type { Io } from '../io.js'
import { explanationLines } from '../print/explanation.js'
import { printJson } from '../print/json.js'
import { type ReachOptions, reach } from '../reach/reach.js'

/** Options of `lucilius explain`. */
export interface ExplainOptions extends ReachOptions {
  /** Print JSON. */
  readonly json?: boolean
}

/** Tells what happens to a message and why, without sending it. */
export async function explain([text = '']: readonly string[], options: ExplainOptions, io: Io): Promise<number> {
  const message = parseMessage(text)
  const system = await reach('explain', options, io)
  try {
    const explanation = await system.explain(message)
    if (options.json === true) printJson(explanation, io)
    else for (const line of explanationLines(explanation)) io.stdout.write(`${line}\n`)
    return exitCodes.done.code
  } finally {
    await system.close()
  }
}
