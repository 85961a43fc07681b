import { Broker } from '../broker.js'
import type { LastingChannel } from '../lasting-channel.js'
import { isMistake, toTrouble } from '../trouble.js'
import type { ForeignApp } from './app.js'
import { Consuming } from './consuming.js'
import { type ForeignOptions, toMapping } from './options.js'
import { Publishing } from './publishing.js'

/** A plugin, as `app.use` takes it. */
export interface ForeignPlugin {
  /** `amqp-foreign`; a second one of an app needs another name, `{ as }`. */
  readonly name: string
  /** Registers. */
  setup(app: ForeignApp): void
}

/**
 * Joins producers and consumers that know nothing of lucilius: plain JSON of their queues becomes events, and events become
 * plain JSON on their exchanges. The mapping stands in the deployment, no service knows of it.
 *
 * Throws `LUC_OPTIONS_INVALID` and `LUC_PATTERN_INVALID`. The app does not start if the broker refuses the login or a
 * permission; one that cannot be reached is tried again.
 *
 * @example
 * ```ts
 * import { lucilius } from 'lucilius'
 * import { foreign } from 'lucilius/transports/amqp'
 *
 * const app = lucilius({ name: 'billing' })
 * app.use(
 *   foreign({
 *     url: 'amqp://127.0.0.1:5672',
 *     consume: [{ exchange: 'shop', key: 'order.created', queue: 'billing.orders', as: 'role:order,event:created' }],
 *     publish: [{ match: 'role:invoice,event:*', exchange: 'billing', key: 'invoice.{event}' }],
 *   }),
 * )
 * ```
 */
export function foreign(options: ForeignOptions): ForeignPlugin {
  const { settings, consume, publish } = toMapping(options)
  return {
    name: 'amqp-foreign',
    setup: (app) => {
      const broker = new Broker(settings)
      const publishing = new Publishing(broker, settings)
      const consuming: Consuming[] = []
      for (const { as, durable } of consume) if (durable) app.event(as, { durable })
      for (const outlet of publish) {
        const { match, durable } = outlet
        app.on(match, durable === undefined ? {} : { durable }, publishing.handler(outlet))
      }
      app.onReady(async () => {
        if (publish.length > 0) await begun(publishing.open(publish, app), broker)
        for (const inlet of consume) {
          const one = new Consuming({ broker, settings, app }, inlet)
          consuming.push(one)
          await begun(one.channel, broker)
        }
      })
      app.onClose(async () => {
        await Promise.all(consuming.map((one) => one.stop()))
        await publishing.close()
      })
    },
  }
}

/** Waits for the first try. Rejects with what no second one changes. */
async function begun(channel: LastingChannel, { url }: Broker): Promise<void> {
  try {
    await channel.whenUp()
  } catch (error) {
    const trouble = toTrouble(url, error)
    if (isMistake(trouble)) throw trouble
  }
}
