import t from 'tap'
import { conformance } from './conformance.js'

conformance(t, { name: 'one app, strict', parity: 'strict' })
conformance(t, { name: 'one app, parity off', parity: 'off' })
