import { AckPolicy, DeliverPolicy, type JsMsg, jetstream } from '@nats-io/jetstream'
import type { Link } from './link.js'
import { toNanos } from './streams.js'
import { Unanswered } from './unanswered.js'

/** Which messages of a stream to read. */
export interface Reading {
  /** The first sequence; 1 unless given. */
  readonly from?: number
  /** Those of this subject only, which may have wildcards. */
  readonly filter?: string
  /** At most so many. */
  readonly most?: number
}

const batch = 500
const batchMs = 5_000
const idleMs = 10_000

/** Reads what a stream has now, in its order. Rejects with `Unanswered` and `Refused`, also in the middle. */
export async function* readStream(link: Link, stream: string, reading: Reading = {}): AsyncGenerator<JsMsg> {
  const { from = 1, filter, most = Number.POSITIVE_INFINITY } = reading
  const info = await link.manage(stream, (manager) =>
    manager.consumers.add(stream, {
      ack_policy: AckPolicy.None,
      deliver_policy: DeliverPolicy.StartSequence,
      opt_start_seq: Math.max(1, from),
      inactive_threshold: toNanos(idleMs),
      mem_storage: true,
      num_replicas: 1,
      ...(filter !== undefined && { filter_subject: filter }),
    }),
  )
  const consumer = jetstream(link.nats).consumers.getConsumerFromInfo(info)
  try {
    let left = Math.min(info.num_pending, most)
    while (left > 0) {
      const wanted = left
      const messages = await link.manage(stream, () =>
        consumer.fetch({ max_messages: Math.min(left, batch), expires: batchMs }),
      )
      const unfollow = link.follow({ lost: () => void messages.close() })
      try {
        for await (const message of messages) {
          left -= 1
          yield message
        }
      } finally {
        unfollow()
      }
      if (left === wanted) throw new Unanswered(link.isUp ? 'silent' : 'lost', stream)
    }
  } finally {
    // If this is not heard, it goes when it was idle for a while.
    link.manage(stream, (manager) => manager.consumers.delete(stream, info.name)).catch(() => {})
  }
}
