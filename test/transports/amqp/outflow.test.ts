import { EventEmitter } from 'node:events'
import type { Channel } from 'amqplib'
import t from 'tap'
import { Outflow } from '../../../transports/amqp/outflow.js'

t.test('what waits for a broker that reads nothing is bounded, and goes on when it reads', async (t) => {
  const stream = Object.assign(new EventEmitter(), { writableNeedDrain: false, destroyed: false })
  const channel = { connection: { stream } } as unknown as Channel
  const outflow = new Outflow(100)
  const never = new AbortController().signal
  await outflow.enter(channel, 500, never)
  stream.writableNeedDrain = true
  t.throws(() => outflow.add(channel, 1), { code: 'LUC_OVERLOADED', handled: 'no' })
  let entered = 0
  const waiting = [40, 40].map(async (bytes) => {
    await outflow.enter(channel, bytes, never)
    entered++
  })
  await t.rejects(outflow.enter(channel, 40, never), { code: 'LUC_OVERLOADED' }, 'as much waits as may')
  const limited = new AbortController()
  const late = outflow.enter(channel, 10, limited.signal)
  limited.abort(new Error('late'))
  await t.rejects(late, { message: 'late' })
  t.equal(entered, 0)
  stream.emit('drain')
  await new Promise((resolve) => setImmediate(resolve))
  t.equal(entered, 0, 'it was not enough')
  stream.writableNeedDrain = false
  stream.emit('drain')
  await Promise.all(waiting)
  t.equal(entered, 2)
  t.equal(stream.listenerCount('drain') + stream.listenerCount('close'), 0)
})
