import t from 'tap'
import { http } from '../../transports/http/index.js'
import { conformance } from './conformance.js'
import type { Means } from './means.js'

const means: Means = {
  listen: () => http({ port: 0 }),
  connect: (url) => http({ url }),
  exposesOnConnect: false,
}

conformance(t, { name: 'http, strict', parity: 'strict', means })
conformance(t, { name: 'http, parity off', parity: 'off', means })
