import t from 'tap'
import { nats } from '../../transports/nats/index.js'
import { skipWithout, startNats } from '../support/brokers.js'
import { conformance } from './conformance.js'
import type { Means } from './means.js'

const skip = skipWithout('nats-server')

if (skip === false) {
  // The server counts header fields as well, and a message of 1 MiB has to pass.
  const { url: servers } = await startNats(t, { config: 'max_payload: 2MB' })

  const means: Means = {
    listen: () => nats({ servers }),
    connect: (url) => nats({ url }),
    exposesOnConnect: true,
  }

  conformance(t, { name: 'nats, strict', parity: 'strict', means })
  conformance(t, { name: 'nats, parity off', parity: 'off', means })
} else {
  t.test('the conformance suite over NATS', { skip }, async () => {})
}
