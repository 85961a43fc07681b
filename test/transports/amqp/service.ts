import { lucilius } from '../../../lib/index.js'
import { amqp } from '../../../transports/amqp/index.js'

// A service in a process of its own, to be killed. Arguments: the broker, the space, and what the service is called.
const [, , url = '', space = '', tag = ''] = process.argv
const app = lucilius({ name: 'service', logger: false })
app.add('a:1', () => ({ tag }))
app.add('a:slow', () => {
  process.send?.('started')
  return new Promise(() => {})
})
process.on('disconnect', () => process.exit())
await app.listen(amqp({ url, space }), { expose: '*' })
await app.listen(amqp({ url, space, app: 'doors' }), { expose: '*', audience: 'clients' })
process.send?.('ready')
