import { lucilius } from '../../../lib/index.js'
import { websocket } from '../../../transports/websocket/index.js'

// A service in a process of its own, to be killed, stopped or asked to close. Arguments: the port, and what it is called.
const [, , port = '0', tag = ''] = process.argv
const app = lucilius({ name: 'service', drainMs: 2000 })
app.add('a:1', ({ n }) => ({ n, tag }))
app.add('a:slow', async ({ n, ms }) => {
  // Told before it is done: how often an act was started.
  process.send?.({ started: n })
  await new Promise((resolve) => setTimeout(resolve, Number(ms)))
  return { n, tag }
})
app.add('a:again', { idempotent: true }, async ({ n, ms }) => {
  await new Promise((resolve) => setTimeout(resolve, Number(ms)))
  return { n, tag }
})
process.on('message', () => void app.close().then(() => process.disconnect()))
process.on('disconnect', () => process.exit())
const listener = await app.listen(websocket({ port: Number(port) }), { expose: '*', audience: 'peers' })
process.send?.({ url: listener.url })
