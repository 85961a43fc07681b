// Seneca 3. Variants: lean (one process, what its options allow to be off is off), web, tcp.
import { setTimeout as sleep } from 'node:timers/promises'
import Seneca from 'seneca'
import { isListening } from '../lib/processes.js'
import { handler, otherPatterns, PATTERN } from '../lib/work.js'

const LEAN = {
  history: { active: false },
  valid: { active: false },
  strict: { result: false },
  debug: { deprecation: false },
  legacy: { transport: false, options: true },
}

const create = (more) => Seneca({ log: 'silent', debug: { deprecation: false, argv: [], env: {} }, ...more })

function serve(message, reply) {
  handler(message).then(reply, reply)
}

function callOf(seneca) {
  return (message) =>
    new Promise((resolve, reject) => seneca.act(message, (error, reply) => (error ? reject(error) : resolve(reply))))
}

export const adapter = {
  async local({ variant, patterns = 10 }) {
    const seneca = create(variant === 'lean' ? LEAN : {})
    for (const pattern of otherPatterns(patterns)) seneca.add(pattern, serve)
    seneca.add(PATTERN, serve)
    await new Promise((resolve, reject) => {
      seneca.error(reject)
      seneca.ready(resolve)
    })
    return { call: callOf(seneca) }
  },
  async server({ variant, port }) {
    const seneca = create()
    seneca.add(PATTERN, serve)
    seneca.listen({ type: variant, port, host: '127.0.0.1' })
    // not seneca.ready: that fires once its executor is idle, which steady traffic puts off for ever
    while (!(await isListening(port))) await sleep(20)
  },
  async client({ variant, port }) {
    const seneca = create()
    seneca.client({ type: variant, port, host: '127.0.0.1', pin: 'role:rate' })
    await new Promise((resolve) => seneca.ready(resolve))
    return { call: callOf(seneca) }
  },
}
