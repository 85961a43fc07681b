import { openSync, writeSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { lucilius } from '../../lib/index.js'
import { listening, type TransportName } from './over.js'

// A service in a process of its own, to be killed, stopped or restarted. It writes down each call before it does it.
// Arguments: the transport, the port, and the file of what was done.
const [, , transport, port = '0', ledger = ''] = process.argv
const file = openSync(ledger, 'a')
const app = lucilius({ name: 'service', parity: 'off', drainMs: 3000 })
const perform = async ({ id, ms, text }: { readonly [key: string]: unknown }) => {
  writeSync(file, `${id}\n`)
  await pause(Number(ms))
  return { id, text: `${text}!` }
}
app.add('do:once', perform)
app.add('do:again', { idempotent: true }, perform)

process.once('SIGTERM', () => void app.close().then(() => process.exit()))
process.once('disconnect', () => process.exit())
const { url } = await app.listen(listening(transport as TransportName, Number(port)), {
  expose: ['do:*'],
  audience: 'peers',
})
process.send?.(url)
