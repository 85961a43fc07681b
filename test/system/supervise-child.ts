// A process that speaks with its supervisor as a real one does, and behaves as its arguments say:
// what it does, and a file that it looks for.
import { existsSync, rmSync } from 'node:fs'
import { type ChildMessage, sealed, toParentMessage } from '../../lib/system/ipc.js'

const [, , does = 'well', file = ''] = process.argv
const tell = (message: ChildMessage) => process.send?.(sealed(message))
const say = (text: string) => process.stdout.write(`${text}\n`)

process.on('SIGTERM', () => tell({ type: 'leaving' }))
process.on('disconnect', () => process.exit())
process.on('message', (value) => {
  const message = toParentMessage(value)
  if (message?.type === 'addresses') say(`addresses ${JSON.stringify(message.addresses)}`)
  if (message?.type === 'wait' || message?.type === 'stay') say(`told to ${message.type}`)
  if (message?.type !== 'drain') return
  say('draining')
  if (does === 'hangs') return
  if (does === 'hung') tell({ type: 'drained', hung: ['role:slow'] })
  else tell({ type: 'drained', hung: [] })
  setTimeout(() => process.exit(does === 'hung' ? 1 : 0), 50)
})

const fails = does === 'dies' || (does === 'dies if' && existsSync(file))
if (does === 'dies once' && existsSync(file)) {
  rmSync(file)
  process.exit(1)
}
if (does === 'refuses') {
  tell({ type: 'failed', message: 'convert.ts: there is no ;', frame: '1 | convert', final: true })
  setTimeout(() => process.exit(1), 20)
} else if (does === 'listens if' && existsSync(file)) {
  tell({ type: 'failed', message: 'the port is taken.', taken: true })
  setTimeout(() => process.exit(1), 20)
} else if (does === 'leaves') {
  tell({ type: 'leaving' })
} else if (fails) {
  process.stderr.write('out of luck\nfor good\n', () => process.exit(3))
} else {
  tell({ type: 'listening', url: `test://${process.pid}` })
  // Words of a service.
  process.send?.({ type: 'leaving' })
  process.send?.({ lucilius: { type: 'something' } })
  setTimeout(() => tell({ type: 'ready', doors: [{ transport: 'http', url: 'http://127.0.0.1:1' }] }), 20)
}
