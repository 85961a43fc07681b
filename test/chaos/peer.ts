import { createRequire } from 'node:module'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { type Kind, kinds } from '../faults/tally.js'
import { repoRoot } from '../support/repo-root.js'
import { type Call, startAsking, TIMEOUT_MS } from './asking.js'
import { type Question, writesDown } from './ledger.js'
import type { Part } from './plain.js'

// A process of the system as another framework has it. Its argument says which, and who it is.
const part = JSON.parse(process.argv[2] ?? '{}') as Part
/** They are installed in `bench/`, if at all. */
const installed = createRequire(join(repoRoot(), 'bench/package.json'))

/** What a process is made of, whatever the framework. */
interface Wiring {
  /** Calls the action of a kind of a service. */
  readonly call: (service: 'rates' | 'convert', kind: Kind, question: Question) => Promise<unknown>
  /** Answers the calls of a kind. */
  readonly add: (service: 'rates' | 'convert', kind: Kind, handler: (question: Question) => Promise<unknown>) => void
  readonly start: () => Promise<unknown>
  readonly stop: () => Promise<unknown>
}

const { call, add, start, stop } = part.framework === 'moleculer' ? moleculer(part) : cote(part)
const { service } = part
if (service !== 'ask') {
  const writeDown = writesDown(part.folder, service)
  for (const kind of kinds) {
    add(service, kind, async ({ id, ms }) => {
      writeDown(id)
      if (service === 'convert') return call('rates', kind, { id, ms })
      await pause(ms)
      return { id }
    })
  }
}
await start()
const ask: Call = (kind, question) => call('convert', kind, question)
const asking = service === 'ask' ? startAsking(part, ask) : undefined
process.once('disconnect', () => process.exit())
process.once('SIGTERM', async () => {
  await asking?.settled()
  await stop()
  process.exit()
})
process.send?.('ready')

/** Moleculer over TCP, as it comes but that it discovers on loopback only. Idempotent calls are tried again by its policy. */
function moleculer({ service, key }: Part): Wiring {
  const { ServiceBroker } = installed('moleculer')
  const broker = new ServiceBroker({
    nodeID: `${service}-${process.pid}`,
    namespace: key,
    logger: false,
    // It would end at SIGTERM before its calls are answered.
    skipProcessEventRegistration: true,
    requestTimeout: TIMEOUT_MS,
    tracking: { enabled: true, shutdownTimeout: 5000 },
    retryPolicy: { enabled: true },
    transporter: { type: 'TCP', options: { udpMulticast: false, udpBroadcast: '127.255.255.255' } },
  })
  const actions: { [kind: string]: (context: { readonly params: Question }) => Promise<unknown> } = {}
  return {
    call: (of, kind, question) => broker.call(`${of}.${kind}`, question, { retries: retriesOf(service, kind) }),
    add: (_, kind, handler) => {
      actions[kind] = ({ params }) => handler(params)
    },
    start: async () => {
      if (service !== 'ask') broker.createService({ name: service, actions })
      await broker.start()
      await broker.waitForServices({ ask: ['convert'], convert: ['rates'], rates: [] }[service], 60_000)
    },
    stop: () => broker.stop(),
  }
}

/** So many that they go on for some seconds; only by the first caller, for tries of tries would go on for a minute. */
function retriesOf(service: Part['service'], kind: Kind): number {
  return service === 'ask' && kind === 'again' ? 8 : 0
}

/** cote, which discovers by UDP, here on loopback only. It has no second tries. */
function cote({ service, key }: Part): Wiring {
  const open = () =>
    installed('cote')({ broadcast: '127.255.255.255', log: false, helloInterval: 500, checkInterval: 1000 })
  const keyOf = (of: string) => `${key}-${of}`
  const name = `${service}-${process.pid}`
  const target = service === 'ask' ? 'convert' : 'rates'
  const requester =
    service === 'rates' ? undefined : new (open().Requester)({ name, key: keyOf(target), timeout: TIMEOUT_MS })
  const responder = service === 'ask' ? undefined : new (open().Responder)({ name, key: keyOf(service) })
  return {
    call: (_, kind, question) => requester.send({ type: kind, question }),
    add: (_, kind, handler) => responder.on(kind, ({ question }: { readonly question: Question }) => handler(question)),
    start: async () => {},
    stop: async () => {
      responder?.close()
      requester?.close()
    },
  }
}
