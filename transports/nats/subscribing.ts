import type { Msg, Subscription } from '@nats-io/transport-node'
import type { Lease } from './broker.js'

/** Takes the messages of one subject. */
export interface Taking {
  readonly subject: string
  /** Each message goes to one member of the group. */
  readonly queue?: string
  take(message: Msg): void
}

/**
 * Subscribes, and resolves once the server has all of it. Rejects with what the library says if one is not permitted, or the
 * connection is lost before.
 */
export async function subscribe({ nats }: Lease, all: readonly Taking[]): Promise<readonly Subscription[]> {
  let refused: Error | undefined
  const subscriptions = all.map(({ subject, queue, take }) => {
    const callback = (error: Error | null, message: Msg) => {
      if (error === null) guarded(take, message)
      else refused = error
    }
    return nats.subscribe(subject, queue === undefined ? { callback } : { callback, queue })
  })
  try {
    await nats.flush()
    if (refused !== undefined) throw refused
  } catch (error) {
    for (const one of subscriptions) one.unsubscribe()
    throw error
  }
  return subscriptions
}

/** Ends subscriptions; resolves once what the server has sent already is taken. */
export async function unsubscribe({ isUp }: Lease, all: readonly Subscription[]): Promise<void> {
  if (isUp) await Promise.allSettled(all.map((one) => one.drain()))
  // There is no server to wait for; the library must not subscribe to them again when it is back.
  else for (const one of all) one.unsubscribe()
}

/** What is thrown in a callback of the library would end its reading for good, without a word. */
function guarded(take: (message: Msg) => void, message: Msg): void {
  try {
    take(message)
  } catch (error) {
    queueMicrotask(() => {
      throw error
    })
  }
}
