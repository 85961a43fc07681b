import { ActionError, LuciliusError } from '../../errors.js'
import { CommandError } from '../errors.js'
import { Mistyped } from './dot-commands.js'

/** An error as plain data: what an act was rejected with, or what was wrong with the line. */
export interface Failure {
  /** Absent for what no act was rejected with. */
  readonly code?: string
  readonly message: string
  readonly details?: unknown
}

/** What is told of an error. */
export function toFailure(error: unknown): Failure {
  if (error instanceof ActionError || error instanceof LuciliusError) {
    const { code, message, details } = error
    return { code, message, ...(details === undefined ? {} : { details }) }
  }
  if (error instanceof CommandError || error instanceof Mistyped) return { message: error.message }
  const text = error instanceof Error ? error.message : String(error)
  return { message: `This should not have happened, please report it: ${text}` }
}
