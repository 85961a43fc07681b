// cote: discovery by UDP broadcast on loopback, then axon over TCP.
import { createRequire } from 'node:module'
import { handler } from '../lib/work.js'

const require = createRequire(import.meta.url)
const open = () =>
  require('cote')({ broadcast: '127.255.255.255', log: false, helloInterval: 500, checkInterval: 1000 })

export const adapter = {
  async server({ port }) {
    const responder = new (open().Responder)({ name: 'rates', key: String(port), port })
    responder.on('convert', (request) => handler(request.message))
  },
  async client({ port }) {
    const requester = new (open().Requester)({ name: 'asker', key: String(port) })
    return { call: (message) => requester.send({ type: 'convert', message }) }
  },
  async publisher({ port }) {
    const publisher = new (open().Publisher)({
      name: 'pub',
      key: String(port),
      port: port + 1,
      broadcasts: ['changed'],
    })
    return { publish: (message) => publisher.publish('changed', message) }
  },
  async subscriber({ port, nr }, onMessage) {
    const subscriber = new (open().Subscriber)({ name: `sub${nr}`, key: String(port), subscribesTo: ['changed'] })
    subscriber.on('changed', onMessage)
  },
}
