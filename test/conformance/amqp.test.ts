import t from 'tap'
import { amqp } from '../../transports/amqp/index.js'
import { skipWithout, startRabbit } from '../support/brokers.js'
import { conformance } from './conformance.js'
import type { Means } from './means.js'

t.setTimeout(120_000)

const skip = skipWithout('rabbitmq')
if (skip === false) {
  const { url } = await startRabbit(t)
  const listening = amqp({ url })
  const means: Means = {
    listen: () => listening,
    connect: (url) => amqp({ url }),
    exposesOnConnect: true,
  }
  conformance(t, { name: 'amqp, strict', parity: 'strict', means })
} else {
  t.test('conformance over amqp', { skip }, async () => {})
}
