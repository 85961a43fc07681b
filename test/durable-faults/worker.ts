/**
 * A process under faults: `node worker.js <role> <store> <at> <ledger> <stored> <from> <to>`. A `sink` handles until it is
 * told to end, a `source` emits numbers and notes those that were stored, `both` does both.
 *
 * It is killed without warning. A line of its output is a number that was stored; `done` says that all were.
 */
import { openSync, writeSync } from 'node:fs'
import { lucilius } from '../../lib/index.js'
import { EVENT, sink } from './sink.js'
import { type StoreKind, storeOf } from './store-of.js'

const [role = '', kind = '', at = '', ledger = '', stored = '', from = '0', to = '0'] = process.argv.slice(2)
const app = lucilius({ name: 'faults', store: await storeOf(kind as StoreKind, at), parity: 'off' })
app.use({ name: 'sink', setup: sink(ledger) })
await app.ready()
process.send?.('ready')
process.on('disconnect', () => void app.close())
if (role === 'both') await emitAll()

/** Emits what is left, sixteen at a time. */
async function emitAll(): Promise<void> {
  app.event(EVENT, { durable: true })
  const file = openSync(stored, 'a')
  let next = Number(from)
  const emit = async () => {
    while (next < Number(to)) {
      const n = next++
      await app.emit(EVENT, { n }, { id: `event-${n}` })
      writeSync(file, `${n}\n`)
    }
  }
  await Promise.all(Array.from({ length: 16 }, emit))
  process.send?.('emitted')
}
