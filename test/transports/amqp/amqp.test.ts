import t from 'tap'
import { skipWithout, startRabbit } from '../../support/brokers.js'
import { door } from './door.js'
import { others } from './foreign.js'
import { lines } from './lines.js'
import { options } from './options.js'
import { outages } from './outages.js'
import { permissions, permitted } from './permissions.js'

t.setTimeout(120_000)

const skip = skipWithout('rabbitmq')
if (skip === false) {
  const broker = await startRabbit(t, { config: permitted })
  for (const part of [options, permissions, lines, door, others, outages]) part(t, broker)
} else {
  t.test('the transport over RabbitMQ', { skip }, async () => {})
}
