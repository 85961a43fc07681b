/** Every code with which `lucilius` ends. `docs/command-line.md` has this table. */
export const exitCodes = Object.freeze({
  done: row(0, 'It is done; what was started has ended as it was told to.'),
  failed: row(
    1,
    'The work failed: an error as reply, an error in a plan, a file that cannot be read or throws, a process that gave up, a drain that hung, a port in use.',
  ),
  usage: row(
    2,
    'It was called wrongly: an unknown command or option, a text that is no message, a description that is not there or says something wrong.',
  ),
  unreached: row(3, 'Nobody could be reached at the address.'),
  interrupted: row(130, 'A second Ctrl-C (SIGINT) ended it at once.'),
  terminated: row(143, 'A second SIGTERM ended it at once.'),
})

/** What the table says about one code. */
export interface ExitRow {
  /** What the shell sees as `$?`. */
  readonly code: number
  /** When it is that. */
  readonly when: string
}

/** A name in {@link exitCodes}. */
export type Exit = keyof typeof exitCodes

function row(code: number, when: string): ExitRow {
  return Object.freeze({ code, when })
}
