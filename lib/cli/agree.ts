import { CommandError } from './errors.js'
import type { Io } from './io.js'
import { oneLine } from './print/harmless-text.js'

/**
 * Asks the person at the terminal whether to do what cannot be undone; anything but yes is no. `yes` was said before.
 * Throws where nobody is there to be asked.
 */
export async function isAgreed(question: string, { yes }: { readonly yes?: boolean }, io: Io): Promise<boolean> {
  if (yes === true) return true
  if (io.ask === undefined) throw new CommandError('usage', `${question} Nobody is there to be asked: say --yes.`)
  const said = await io.ask(`${oneLine(question)} [y/N] `)
  if (/^\s*y(es)?\s*$/i.test(said)) return true
  io.stderr.write('lucilius: Nothing is changed.\n')
  return false
}
