import { LuciliusError } from '../../errors.js'
import { CommandError } from '../errors.js'
import type { Reached } from './reached.js'

/** A listener as it was asked. */
export interface Asked {
  /** Its address as it was given. */
  readonly url: string
  /** Its address without what may be secret in it. */
  readonly place: string
  /** Whether it was given a secret. */
  readonly hasSecret: boolean
}

/** Asks a listener, and adds to what it refuses what can be done about it. */
export async function withAdvice(asked: Asked, connect: () => Promise<Reached>): Promise<Reached> {
  const reached = await connect().catch((error) => {
    throw unreached(error, asked.place) ?? advised(error, asked)
  })
  return {
    ...reached,
    act: (message, timeoutMs, watch) =>
      reached.act(message, timeoutMs, watch).catch((error) => {
        throw advised(error, asked)
      }),
  }
}

/** A failure to connect as a command ends with it: somebody who refuses was reached, all others were not. */
function unreached(error: unknown, place: string): CommandError | undefined {
  if (!(error instanceof LuciliusError) || error.code !== 'LUC_UNREACHABLE') return undefined
  const status = (error.details as { readonly status?: unknown } | undefined)?.status
  if (status === undefined) return new CommandError('unreached', `Nobody can be reached at ${place}.`)
  const facts = `What answers at ${place} speaks no WebSocket on this path (status ${status})`
  return new CommandError('failed', `${facts}: is it a door for HTTP? Try --url ${place.replace('ws', 'http')}`)
}

function advised(error: unknown, asked: Asked): unknown {
  if (!(error instanceof LuciliusError)) return error
  const advice = adviceOn(error, asked)
  if (advice === undefined) return error
  const { code, message, handled, details } = error
  return new LuciliusError(code, `${message} ${advice}`, { handled, details })
}

function adviceOn({ code, message }: LuciliusError, { url, place, hasSecret }: Asked): string | undefined {
  if (code === 'LUC_UNAUTHENTICATED') {
    return hasSecret
      ? 'The secret that was given is not the one of this listener: look at LUCILIUS_SECRET or LUCILIUS_SECRET_FILE.'
      : 'Set LUCILIUS_SECRET or LUCILIUS_SECRET_FILE to the secret of this listener.'
  }
  if (code !== 'LUC_WIRE_INVALID' || !message.includes('WebSocket')) return undefined
  const listener = `${place.replace('http', 'ws')}/ws`
  return listener === url ? undefined : `Try --url ${listener}`
}
