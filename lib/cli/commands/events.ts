import { exitCodes } from '../exit-codes.js'
import type { Io } from '../io.js'
import { reportLines } from '../print/events.js'
import { printJson } from '../print/json.js'
import { reachStore, type StoreOptions } from '../reach/store.js'

/** Options of `lucilius events` and of all its commands. */
export interface EventsOptions extends StoreOptions {
  /** Print JSON. */
  readonly json?: boolean
}

/** What may be written after `events` in place of a deployment. */
const COMMANDS = ['dead', 'show', 'replay', 'drop', 'remove']

/** Lists what the store keeps, and how far each durable subscription is. */
export async function events([deployment]: readonly string[], options: EventsOptions, io: Io): Promise<number> {
  const store = await reachStore(deployment === undefined ? options : { ...options, deployment }, io, COMMANDS)
  try {
    const report = await store.admin.report()
    if (options.json === true) printJson(report, io)
    else for (const line of reportLines(report, io.color)) io.stdout.write(`${line}\n`)
    return exitCodes.done.code
  } finally {
    await store.close()
  }
}
