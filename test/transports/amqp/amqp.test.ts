import t from 'tap'
import { skipWithout, startRabbit } from '../../support/brokers.js'
import { door } from './door.js'
import { lines } from './lines.js'

const skip = skipWithout('rabbitmq')
if (skip === false) {
  const broker = await startRabbit(t)
  lines(t, broker)
  door(t, broker)
} else {
  t.test('the transport over RabbitMQ', { skip })
}
