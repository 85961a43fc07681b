/**
 * A process that has an embedded store open and is killed: run by embedded.test.ts, not by hand.
 *
 * `node killed.js <mode> <folder of the store> <ledger> [from] [to]`. Writes what happened to it into the ledger, a line
 * for each, before it goes on: `stored 5`, `handled 5 1` (the attempt), `ended 5`.
 */
import { openSync, writeSync } from 'node:fs'
import { matcherOf } from '../../lib/covers.js'
import type { StoreDelivery, Verdict } from '../../lib/store.js'
import { embedded } from '../../transports/embedded/index.js'
import { sample, soon } from './sample.js'
import { hostOf } from './stage.js'

const [mode = '', path = '', ledger = '', from = '0', to = '0'] = process.argv.slice(2)
const file = openSync(ledger, 'a')
const subscription = { name: 'shop.all', pattern: 'role:order', ordered: false, concurrency: 16 }
const store = await embedded({ path }).openStore(hostOf())
const modes: { readonly [mode: string]: () => Promise<void> } = { work, poison, turn, hold, fill }
await modes[mode]?.()

/** Appends events, sixteen at once, and handles them; ends when everything that is stored is handled. */
async function work(): Promise<void> {
  let n = Number(from)
  await serve((delivery) => verdictOn(delivery))
  const append = async () => {
    while (n < Number(to)) {
      const number = n++
      await store.append(sample(number, { id: `order ${number}`, key: `${number % 5}`, retain: true }), soon())
      write(`stored ${number}`)
      if (number % 10 === 0) process.stdout.write('.')
    }
  }
  await Promise.all(Array.from({ length: 16 }, append))
  while ((await store.admin.report()).subscriptions[0]?.waiting !== 0) await new Promise((go) => setTimeout(go, 10))
  await store.close()
}

/** Nine of ten are done, some after a second try; one of a hundred is dead. */
function verdictOn({ event, attempt, failures }: StoreDelivery): Verdict {
  const n = Number(event.message.n)
  const failure = { at: Date.now(), attempt, message: 'not yet', instance: 'killed' }
  if (n % 100 === 7) return { kind: 'dead', failures: [...failures, failure] }
  if (n % 10 === 3 && failures.length === 0) return { kind: 'again', afterMs: 20, failure }
  return { kind: 'done' }
}

/** Dies of its event. */
async function poison(): Promise<void> {
  await serve((delivery) => {
    if (delivery.attempt < 4) process.kill(process.pid, 'SIGKILL')
    return { kind: 'dead', failures: [] }
  })
  if (from !== '0') await store.append(sample(1), soon())
  while ((await store.admin.report()).subscriptions[0]?.waiting !== 0) await new Promise((go) => setTimeout(go, 10))
  await store.close()
}

/** Is killed in the very turn in which it has ended two events: one is done, one is dead. */
async function turn(): Promise<void> {
  let delivered = 0
  await store.serve({ ...subscription, matches: matcherOf(subscription.pattern) }, (delivery) => {
    const { attempt, event } = delivery
    write(`handled ${event.message.n} ${attempt}`)
    const failure = { at: Date.now(), attempt, message: 'never', instance: 'killed' }
    void delivery.end(event.message.n === 1 ? { kind: 'done' } : { kind: 'dead', failures: [failure] })
    if (++delivered === 2) process.kill(process.pid, 'SIGKILL')
  })
  await Promise.all([store.append(sample(1), soon()), store.append(sample(2), soon())])
}

/** Has it open until it is killed. */
async function hold(): Promise<void> {
  process.stdout.write('.')
  await new Promise((resolve) => setTimeout(resolve, 60_000))
}

/** Appends until that fails, and goes on for a while. */
async function fill(): Promise<void> {
  await store.know({ ...subscription, matches: matcherOf(subscription.pattern) })
  const text = 'x'.repeat(10_000)
  for (let n = 0; n < 100; n++) {
    const append = store.append(sample(n, { message: { role: 'order', n, text } }), soon())
    await append.then(
      () => write(`stored ${n}`),
      ({ code, handled }) => write(`refused ${n} ${code} ${handled}`),
    )
  }
  await store.close()
}

async function serve(verdict: (delivery: StoreDelivery) => Verdict): Promise<void> {
  await store.serve({ ...subscription, matches: matcherOf(subscription.pattern) }, (delivery) => {
    const { event, attempt } = delivery
    write(`handled ${event.message.n} ${attempt}`)
    const what = verdict(delivery)
    const ended = delivery.end(what)
    if (what.kind !== 'again') void ended.then(() => write(`ended ${event.message.n}`))
  })
}

function write(line: string): void {
  writeSync(file, `${line}\n`)
}
