import { start as startGroup } from '../../system/start.js'
import type { Io } from '../io.js'
import { oneLine } from '../print/harmless-text.js'

/** Options of `lucilius start`. */
export interface StartOptions {
  /** The description, where it is not found by its name. */
  readonly config?: string
  /** The group. */
  readonly group: string
  /** Which replica of it, in place of `LUCILIUS_REPLICA`. */
  readonly replica?: number
}

/** Runs one group of a deployment in this process until it is told to end. */
export async function start([deployment = '']: readonly string[], options: StartOptions, io: Io): Promise<number> {
  const { config, group, replica } = options
  return startGroup({
    cwd: io.cwd,
    config,
    deployment,
    group,
    variables: replica === undefined ? io.env : { ...io.env, LUCILIUS_REPLICA: String(replica) },
    say: (line) => io.stderr.write(`lucilius: ${oneLine(line)}\n`),
  })
}
