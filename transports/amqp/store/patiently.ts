import type { ConfirmChannel } from 'amqplib'
import { againMs } from '../again.js'
import type { Broker } from '../broker.js'
import { unlessAborted } from '../unless-aborted.js'
import { isRefused } from './trouble.js'

/**
 * Does a piece of work on a channel of its own, from its beginning again whenever the channel or the broker was lost.
 * Rejects with what the broker refused, and with the signal's reason when it aborts.
 */
export async function patiently<T>(
  broker: Broker,
  signal: AbortSignal,
  work: (channel: ConfirmChannel) => Promise<T>,
): Promise<T> {
  const from = performance.now()
  for (;;) {
    const held = broker.hold({ setUp: async () => {} })
    try {
      const channel = await held.whenUp(signal)
      return await unlessAborted(work(channel), signal)
    } catch (error) {
      if (isRefused(error)) throw error
      signal.throwIfAborted()
    } finally {
      await held.close()
    }
    await pause(againMs(from), signal)
  }
}

/** Waits so many ms. Rejects with the signal's reason when it aborts. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const time = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms)
  })
  return unlessAborted(time, signal).finally(() => clearTimeout(timer))
}
