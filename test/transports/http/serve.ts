import { lucilius } from '../../../lib/index.js'
import { http } from '../../../transports/http/index.js'

// A program to be killed: tells its url over IPC, then answers `cmd:quick`, and `cmd:never` never.
const app = lucilius({ name: 'victim', parity: 'off' })
app.add('cmd:quick', () => process.pid)
app.add('cmd:never', () => {
  process.send?.('started')
  return new Promise(() => {})
})
const { url } = await app.listen(http({ port: Number(process.argv[2] ?? 0) }), { expose: '*', audience: 'peers' })
process.send?.(url)
