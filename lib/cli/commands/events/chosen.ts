import type { StoreAdmin } from '../../../store.js'
import { CommandError } from '../../errors.js'
import { exitCodes } from '../../exit-codes.js'
import type { Io } from '../../io.js'
import { oneLine } from '../../print/harmless-text.js'
import { printJson } from '../../print/json.js'
import type { EventsOptions } from '../events.js'
import { checkSubscription } from './subscription.js'

/** Options of a command for one, several or all dead letters. */
export interface ChosenOptions extends EventsOptions {
  /** All of them. */
  readonly all?: boolean
  /** All of this one. */
  readonly subscription?: string
}

/** Dead letters that are asked for at once. */
const PAGE = 500

/** Which dead letters are meant. Throws where that is not clear. */
export function checkChosen(ids: readonly string[], { all, subscription }: ChosenOptions): void {
  if (all === true && ids.length > 0) throw new CommandError('usage', 'Name dead letters, or say --all: not both.')
  if (all !== true && ids.length === 0) {
    throw new CommandError('usage', "Name dead letters, or say --all. 'lucilius events dead' lists them.")
  }
  if (all !== true && subscription !== undefined) {
    throw new CommandError('usage', '--subscription goes with --all: an id is unique in the store.')
  }
}

/** The ids that are meant. All are those that there are now: what dies again while they are replayed is not among them. */
export async function chosenIds(
  ids: readonly string[],
  { all, subscription }: ChosenOptions,
  admin: StoreAdmin,
): Promise<readonly string[]> {
  if (all !== true) return [...new Set(ids)]
  if (subscription !== undefined) await checkSubscription(subscription, admin)
  const found: string[] = []
  for (;;) {
    const after = found.at(-1)
    const page = await admin.deadLetters({
      limit: PAGE,
      ...(subscription === undefined ? {} : { subscription }),
      ...(after === undefined ? {} : { after }),
    })
    found.push(...page.map(({ id }) => id))
    if (page.length < PAGE) return found
  }
}

/** Does something to each, one after the other, and tells of how many it is done, and which are not there. */
export async function doToEach(
  ids: readonly string[],
  done: 'replayed' | 'dropped',
  act: (id: string) => Promise<boolean>,
  { json }: EventsOptions,
  io: Io,
): Promise<number> {
  const [found, missing]: [string[], string[]] = [[], []]
  for (const id of ids) ((await act(id)) ? found : missing).push(id)
  if (json === true) printJson({ [done]: found, missing }, io)
  else io.stdout.write(`${done} ${countOf(found.length)}\n`)
  return missing.length === 0 ? exitCodes.done.code : tellUnknown(missing, io)
}

/** Says that there are no dead letters of these ids. Gives the exit code. */
export function tellUnknown(ids: readonly string[], { stderr }: Io): number {
  const advice = "'lucilius events dead' lists them."
  for (const id of ids) stderr.write(`lucilius: ${oneLine(`There is no dead letter '${id}'. ${advice}`)}\n`)
  return exitCodes.failed.code
}

/** So many dead letters, in words. */
export function countOf(count: number): string {
  return `${count} dead letter${count === 1 ? '' : 's'}`
}
