import t from 'tap'
import { websocket } from '../../transports/websocket/index.js'
import { conformance } from './conformance.js'
import type { Means } from './means.js'

const means: Means = {
  listen: () => websocket({ port: 0 }),
  connect: (url) => websocket({ url }),
  exposesOnConnect: true,
}

conformance(t, { name: 'websocket, strict', parity: 'strict', means })
conformance(t, { name: 'websocket, parity off', parity: 'off', means })
