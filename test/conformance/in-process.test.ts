import t from 'tap'
import { inProcess } from '../../transports/in-process/index.js'
import { conformance } from './conformance.js'
import type { Means } from './means.js'

const means: Means = {
  listen: () => inProcess(),
  connect: (url) => inProcess({ url }),
  exposesOnConnect: true,
}

conformance(t, { name: 'in-process, strict', parity: 'strict', means })
conformance(t, { name: 'in-process, parity off', parity: 'off', means })
