import { LuciliusError } from '../../errors.js'
import { newTraceParent } from '../../trace.js'
import { type Call, type Connection, type Observer, WIRE_VERSION } from '../../transport.js'
import { fromWireError } from '../../wire-error.js'
import { ClientsOnly } from './clients-only.js'
import type { ListenerAt } from './listener-url.js'
import type { ActWatch, Reached } from './reached.js'

/** Milliseconds that an act may take unless it is told otherwise, as in an app. */
const TIMEOUT_MS = 10_000

/** How much later than its deadline an answer may come: the other end has the first word. */
const GRACE_MS = 250

/**
 * Acts over a listener as a page or curl does: listeners for clients and for peers answer alike. Straight over the
 * transport, without an app that would try again: whoever types a command wants to see what came of it.
 */
export async function asClient({ transport }: ListenerAt, authorization: string | undefined): Promise<Reached> {
  const connection = await transport.connect(observer(authorization))
  return {
    act: (message, timeoutMs = TIMEOUT_MS, watch = {}) => carry(connection, message, timeoutMs, watch),
    list: () => refuse(),
    explain: () => refuse(),
    close: () => connection.close(),
  }
}

async function carry(
  connection: Connection,
  message: object,
  timeoutMs: number,
  { signal, answered }: ActWatch,
): Promise<unknown> {
  const call: Call = { onCancel: undefined }
  const envelope = {
    kind: 'act',
    message: message as { readonly [key: string]: unknown },
    meta: { timeoutMs, traceparent: newTraceParent() },
  } as const
  let timer: NodeJS.Timeout | undefined
  let cancel = () => {}
  const begin = performance.now()
  const givenUp = new Promise<never>((_, reject) => {
    cancel = () => {
      call.onCancel?.()
      reject(new LuciliusError('LUC_CANCELLED', 'It was cancelled.'))
    }
    signal?.addEventListener('abort', cancel, { once: true })
    timer = setTimeout(
      () => {
        call.onCancel?.()
        reject(new LuciliusError('LUC_DEADLINE_EXCEEDED', `There was no reply within ${timeoutMs} ms.`))
      },
      Math.min(timeoutMs + GRACE_MS, 2 ** 31 - 1),
    )
  })
  try {
    const outcome = await Promise.race([connection.carry(envelope, call), givenUp])
    if (outcome.error !== undefined) throw fromWireError(outcome.error)
    return outcome.reply
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', cancel)
    answered?.(undefined, performance.now() - begin)
  }
}

/** The half of a connection that tells nothing, asks nothing and answers nothing. */
function observer(authorization: string | undefined): Observer {
  return {
    silent: true,
    authorization,
    tell: () => ({
      wire: WIRE_VERSION,
      name: 'command-line',
      instance: 'command-line',
      actions: [],
      subscriptions: [],
      draining: false,
    }),
    onTell: () => () => {},
    hear: () => {},
    receive: () =>
      Promise.resolve({ error: { code: 'LUC_ACTION_NOT_FOUND', message: 'Nothing is answered here.', handled: 'no' } }),
    lost: () => {},
  }
}

async function refuse(): Promise<never> {
  throw new ClientsOnly()
}
