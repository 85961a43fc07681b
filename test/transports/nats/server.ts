/** A service in a process of its own, to be killed: tells its parent that it listens, and each act that it starts. */
import { lucilius } from '../../../lib/index.js'
import { nats } from '../../../transports/nats/index.js'

const [servers = '', space = ''] = process.argv.slice(2)
const app = lucilius({ name: 'rates' })
app.add('role:rates,cmd:get', () => process.pid)
app.add('role:rates,cmd:slow', () => {
  process.send?.('started')
  return new Promise(() => {})
})
await app.listen(nats({ servers, space }), { expose: ['role:rates,cmd:*'] })
process.on('disconnect', () => process.exit(0))
process.send?.('listening')
