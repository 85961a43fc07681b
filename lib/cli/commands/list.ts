import { LuciliusError } from '../../errors.js'
import { toPattern } from '../../pattern.js'
import { exitCodes } from '../exit-codes.js'
import type { Io } from '../io.js'
import { actionLines } from '../print/actions.js'
import { oneLine } from '../print/harmless-text.js'
import { printJson } from '../print/json.js'
import { type ReachOptions, reach } from '../reach/reach.js'

/** Options of `lucilius list`. */
export interface ListOptions extends ReachOptions {
  /** Print JSON. */
  readonly json?: boolean
}

/** Lists the actions that a pattern covers, or all. */
export async function list([pattern]: readonly string[], options: ListOptions, io: Io): Promise<number> {
  if (pattern !== undefined) checkPattern(pattern)
  const system = await reach('list', options, io)
  try {
    const actions = await system.list(pattern)
    if (options.json === true) printJson(actions, io)
    else for (const line of actionLines(actions)) io.stdout.write(`${line}\n`)
    if (actions.length === 0 && options.json !== true) io.stderr.write(`lucilius: ${oneLine(nothing(pattern))}\n`)
    return exitCodes.done.code
  } finally {
    await system.close()
  }
}

/** Whoever writes a word alone has most likely meant a deployment. */
function checkPattern(text: string): void {
  try {
    toPattern(text)
  } catch (error) {
    if (!(error instanceof LuciliusError) || text.includes(':')) throw error
    const advice = "'list' takes a pattern, such as role:stock. Where it asks it finds by itself."
    throw new LuciliusError(error.code, `${error.message} ${advice}`)
  }
}

function nothing(pattern: string | undefined): string {
  return pattern === undefined ? 'There are no actions.' : `No action is covered by ${pattern}.`
}
