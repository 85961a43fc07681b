import type { ChildMessage } from '../ipc.js'

/** What a child process said of its end. */
type Failed = Pick<Extract<ChildMessage, { readonly type: 'failed' }>, 'message' | 'frame' | 'final' | 'taken'>

/** How a child process ended. */
export interface End {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  /** It had been ready. */
  readonly wasReady: boolean
  /** What it said of it. `final`: a second try would fail in the same way. `taken`: it could not listen. */
  readonly failure: Failed | undefined
  /** The last lines that it wrote to stderr, oldest first. */
  readonly lastLines: readonly string[]
  /** What still ran when its drain was over; undefined if it did not say. */
  readonly hung: readonly string[] | undefined
  /** It did not end in time after it was asked to, and was killed. */
  readonly late: boolean
}

/** Says in a few words, without a full stop, how a child ended: `was killed by SIGKILL`, `exited with code 1: Port 80 is taken`. */
export function describeEnd({ code, signal, failure }: End): string {
  const how = signal === null ? `exited with code ${code ?? 'unknown'}` : `was killed by ${signal}`
  return failure === undefined ? how : `${how}: ${failure.message.replace(/\.$/, '')}`
}

/** What went wrong in a drain, in words; undefined if nothing did. One that was still starting had nothing to drain. */
export function describeHung(end: End): string | undefined {
  const { code, hung = [], late, wasReady } = end
  if (hung.length > 0) return `still ran when the time was over: ${hung.join('; ')}`
  if (late) return 'did not end in time and was killed'
  return code === 0 || !wasReady ? undefined : describeEnd(end)
}

/** A process ended before it was ready. */
export class EndedEarly extends Error {
  /** How it ended. */
  readonly end: End
  /** The process that it was to replace is there, and stays. */
  readonly oldStays: boolean

  constructor(end: End, oldStays = false) {
    super(describeEnd(end))
    this.end = end
    this.oldStays = oldStays
  }
}
