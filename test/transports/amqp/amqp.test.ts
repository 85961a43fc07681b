import t from 'tap'
import { skipWithout, startRabbit } from '../../support/brokers.js'
import { door } from './door.js'
import { others } from './foreign.js'
import { lines } from './lines.js'
import { options } from './options.js'
import { outages } from './outages.js'

const skip = skipWithout('rabbitmq')
if (skip === false) {
  const broker = await startRabbit(t)
  for (const part of [options, lines, door, others, outages]) part(t, broker)
} else {
  t.test('the transport over RabbitMQ', { skip }, async () => {})
}
