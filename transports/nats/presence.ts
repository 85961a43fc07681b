import type { Msg, Subscription } from '@nats-io/transport-node'
import { encodeJson, type Receiver } from '../../lib/transport-kit.js'
import type { Broker, Lease } from './broker.js'
import { subjectsOf } from './subjects.js'
import { subscribe, unsubscribe } from './subscribing.js'
import { toTrouble } from './trouble.js'

/** The longest answer to the question who is there: many may answer at once. */
const MOST_CHARS = 64 * 1024

/** Says to all who look that somebody listens at a mailbox. */
export interface Presence {
  /** Says that nobody does any more. */
  close(): Promise<void>
}

/** Tells whoever asks, or looks, that an app listens at a mailbox: now, at each change, and whenever the broker is back. */
export async function showPresence(broker: Broker, receiver: Receiver, mailbox: string): Promise<Presence> {
  const subjects = subjectsOf(broker.settings.space)
  const observer = receiver.accept(undefined, {})
  const isOpen = receiver.anonymous === true
  /** What the app is; what it exposes only where nobody has to prove anything before he may know. */
  const text = (): string => {
    const announcement = observer.tell()
    const { name, instance } = announcement
    const told = encodeJson({ name, instance, address: mailbox, announcement })
    return isOpen && told.length <= MOST_CHARS ? told : encodeJson({ name, instance, address: mailbox })
  }
  let lease: Lease | undefined
  let subscriptions: readonly Subscription[] = []
  const say = () => {
    if (lease?.isUp === true && !receiver.draining) lease.nats.publish(subjects.here, text())
  }
  const answer = (question: Msg) => {
    if (question.reply && !receiver.draining) question.respond(text())
  }
  const stopTelling = observer.onTell(say)
  const close = async () => {
    stopTelling()
    observer.lost()
    await lease?.release()
  }
  try {
    lease = await broker.use({ back: say })
    subscriptions = await subscribe(lease, [{ subject: subjects.ping, take: answer }])
  } catch (error) {
    await close()
    throw toTrouble(broker.settings.shown, error)
  }
  say()
  return {
    close: async () => {
      if (lease.isUp) lease.nats.publish(subjects.gone, encodeJson({ address: mailbox, gone: true }))
      await unsubscribe(lease, subscriptions)
      await close()
    },
  }
}
