import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { planLines } from '../../lib/cli/print/plan.js'
import { patternMatches } from '../../lib/covers.js'
import { toPattern } from '../../lib/pattern.js'
import { defineSystem } from '../../lib/system/define-system.js'
import type {
  DeploymentDescription,
  ForeignDescription,
  GroupDescription,
  ServiceDescription,
} from '../../lib/system/description.js'
import { readEnvironment } from '../../lib/system/environment.js'
import { type FindingCode, findingTable } from '../../lib/system/plan/finding.js'
import { meets } from '../../lib/system/plan/meets.js'
import { type Offer, type Offers, offersOf as offeredBy } from '../../lib/system/plan/offers.js'
import { type PlanOptions, planDeployment } from '../../lib/system/plan/plan.js'
import type { Plan } from '../../lib/system/plan/planned.js'
import { type Page, tableRows } from '../docs/pages.js'
import { repoRoot } from '../support/repo-root.js'

/** A service: what it is described with, and what it would register. */
interface Sketch extends Omit<ServiceDescription, 'module'> {
  readonly adds?: readonly string[]
  readonly observes?: readonly string[]
  /** Durable subscriptions by name. */
  readonly keeps?: { readonly [name: string]: string }
  /** Events that it declares: durable, or if the text begins with an equals sign, retained. */
  readonly declares?: readonly string[]
  readonly wraps?: readonly string[]
  readonly needs?: readonly string[]
  readonly fails?: string
}

type Sketches = { readonly [service: string]: Sketch }
type Groups = { readonly [group: string]: '*' | readonly string[] | GroupDescription }

const rates: Sketch = { adds: ['role:rates,cmd:get', 'role:rates,cmd:set'], uses: ['role:rates,event:changed'] }
const convert: Sketch = {
  adds: ['role:convert,cmd:amount'],
  observes: ['role:rates,event:changed'],
  uses: ['role:rates,cmd:get'],
}

t.test('a system in which every message has a home has nothing to be said against it', async (t) => {
  const services = { rates, convert }
  for (const groups of [{ all: '*' }, { one: ['rates'], two: { services: ['convert'], replicas: 3 } }] as const) {
    t.strictSame(plan(services, groups).findings, [])
  }
})

t.test('an event that nobody has to observe is no mistake without a home, and one in `uses` is', async (t) => {
  const quiet = { rates: { adds: ['role:rates'], uses: [], emits: ['role:rates,event:changed'] } }
  t.strictSame(plan(quiet, { all: '*' }).findings, [])
  const both = { rates: { ...quiet.rates, uses: ['event:changed,role:rates'] } }
  t.strictSame(plan(both, { all: '*' }).findings, [], 'what stands in both is an event')
  t.strictSame(plan({ ...quiet, convert: { ...convert, uses: [] } }, { all: '*' }).findings, [])
  const loud = { rates: { adds: ['role:rates,cmd:get'], uses: ['role:rates,event:changed'] } }
  t.match(plan(loud, { all: '*' }).findings, [
    { level: 'error', code: 'MISSING_HOME', message: /'emits' of 'rates'/, where: 'services.rates.uses[0]' },
  ])
})

t.test('a plan says who runs where, and listens where', async (t) => {
  const { processes, links, services } = plan(
    { rates, convert },
    { one: ['rates'], two: { services: ['convert'], replicas: 2, listen: { port: 7000 } } },
  )
  t.match(processes, [
    { id: 'one', services: ['rates'], listen: { host: '127.0.0.1', port: 0 } },
    { id: 'two.1', services: ['convert'], listen: { port: 7000 } },
    { id: 'two.2', services: ['convert'], listen: { port: 7001 } },
  ])
  t.strictSame(links, [['one', 'two']])
  t.match(services, [
    { name: 'rates', groups: ['one'], actions: ['cmd:get,role:rates', 'cmd:set,role:rates'] },
    { name: 'convert', groups: ['two'], subscriptions: ['event:changed,role:rates'], uses: ['cmd:get,role:rates'] },
  ])
})

t.test('a process that is alone listens for no peers', async (t) => {
  t.equal(plan({ rates, convert }, { all: '*' }).processes[0]?.listen, null)
})

t.test('a plan tells acts from events, and which of them cross a process', async (t) => {
  const { messages } = plan({ rates, convert }, { one: ['rates'], two: ['convert'] })
  t.match(messages, [
    { service: 'rates', group: 'one', kind: 'emit', crosses: true, to: [{ service: 'convert', groups: ['two'] }] },
    { service: 'convert', group: 'two', kind: 'act', crosses: true, to: [{ service: 'rates', groups: ['one'] }] },
  ])
  t.notOk(plan({ rates, convert }, { all: '*' }).messages.some(({ crosses }) => crosses))
})

t.test('a message stays in its process where that has the service, whoever else has it', async (t) => {
  const { messages } = plan({ rates, convert }, { one: ['rates'], two: ['rates', 'convert'] })
  const asked = messages.find(({ service }) => service === 'convert')
  t.match(asked, { group: 'two', crosses: false, to: [{ service: 'rates', groups: ['two'] }] })
})

t.test('a message goes to the most specific action that its pattern matches', async (t) => {
  const services = {
    wide: { adds: ['role:a'] },
    narrow: { adds: ['role:a,cmd:b'] },
    asker: { uses: ['role:a,cmd:b,x:1'] },
  }
  const { messages, findings } = plan(services, { all: '*' })
  t.match(messages, [{ to: [{ service: 'narrow' }] }])
  t.equal(messages[0]?.to.length, 1)
  t.strictSame(findings, [])
})

t.test(
  'of one pattern that two services add, the own process answers, else the service whose name sorts first',
  async (t) => {
    const services = { a: { adds: ['role:x'] }, b: { adds: ['role:x'] }, asker: { uses: ['role:x'] } }
    const { messages } = plan(services, { one: ['a'], two: ['b', 'asker'], three: ['asker'] })
    t.match(messages, [
      { group: 'two', crosses: false, to: [{ service: 'b' }] },
      { group: 'three', crosses: true, to: [{ service: 'a' }] },
    ])
  },
)

t.test('special cases that the data may select are shown with the keys they need', async (t) => {
  const services = { wide: { adds: ['role:a'] }, narrow: { adds: ['role:a,to:jpy'] }, asker: { uses: ['role:a'] } }
  const { messages } = plan(services, { one: ['wide', 'asker'], two: ['narrow'] })
  t.match(messages, [
    {
      crosses: true,
      to: [
        { service: 'wide', needs: [] },
        { service: 'narrow', groups: ['two'], needs: ['to'] },
      ],
    },
  ])
})

t.test('a glob in `uses` has a home if some action may answer it', async (t) => {
  t.strictSame(plan({ rates, asker: { uses: ['role:rates,cmd:*'] } }, { all: ['rates', 'asker'] }).findings.length, 1)
  const { messages, findings } = plan(
    { rates: { adds: rates.adds ?? [] }, asker: { uses: ['role:rates,cmd:*'] } },
    { all: '*' },
  )
  t.strictSame(findings, [])
  t.equal(messages[0]?.to.length, 2)
})

t.test(
  'a service that does not say what it uses is not checked, and one that uses the catch-all neither',
  async (t) => {
    const { services, findings } = plan(
      { mute: { adds: ['a:1'] }, anything: { adds: ['b:1'], uses: [''] } },
      { all: '*' },
    )
    t.strictSame(findings, [])
    t.match(services, [{ uses: null }, { uses: [''] }])
  },
)

t.test('a message that nothing takes has no home, and the nearest pattern is named', async (t) => {
  const { findings } = plan(
    { rates: { adds: rates.adds ?? [] }, asker: { uses: ['role:rates,cmd:gte'] } },
    { all: '*' },
  )
  t.match(findings, [
    {
      level: 'error',
      code: 'MISSING_HOME',
      where: 'services.asker.uses[0]',
      message: /Did you mean 'cmd:get,role:rates'\?/,
    },
  ])
})

t.test('a service that no group has is no home, and is told of', async (t) => {
  const { findings } = plan({ rates, convert }, { all: ['convert'] })
  t.match(findings, [
    { code: 'MISSING_HOME', message: /'rates' would, but it is in no group/ },
    { code: 'SERVICE_NOWHERE', level: 'warning', message: /'rates'/ },
  ])
})

t.test('the catch-all is a home in its own process only, for nobody announces it', async (t) => {
  const services = { any: { adds: [''] }, asker: { uses: ['role:a'] } }
  t.strictSame(codes(plan(services, { all: '*' })), [])
  t.strictSame(codes(plan(services, { one: ['any'], two: ['asker'] })), ['MISSING_HOME'])
})

t.test('a message whose home the group has no link to is out of reach', async (t) => {
  const services = {
    rates: { adds: ['role:rates'] },
    asker: { adds: ['role:asker'], uses: ['role:rates'] },
    other: { adds: ['a:1'] },
  }
  const groups = { one: ['rates'], two: { services: ['asker'], peers: ['three'] }, three: ['other'] }
  t.match(plan(services, groups).findings, [
    { level: 'error', code: 'UNREACHABLE', where: 'services.asker.uses[0]', message: /'two'.*'role:rates' of 'rates'/ },
  ])
})

t.test('a wider action that answers in the place of one out of reach is an error', async (t) => {
  const services = { narrow: { adds: ['role:a,cmd:b'] }, wide: { adds: ['role:a'] }, asker: { uses: ['role:a,cmd:b'] } }
  const groups = { one: { services: ['narrow'], peers: ['two'] }, two: ['wide'], three: ['asker'] }
  t.match(plan(services, groups).findings, [{ code: 'UNREACHABLE', message: /'role:a' of 'wide' answers/ }])
})

t.test('a special case out of reach, which the data may select, is a warning', async (t) => {
  const services = { wide: { adds: ['role:a'] }, narrow: { adds: ['role:a,to:jpy'] }, asker: { uses: ['role:a'] } }
  const groups = { one: ['wide', 'asker'], two: { services: ['narrow'], peers: [] } }
  t.match(plan(services, groups).findings, [{ level: 'warning', code: 'BYPASSED', message: /brings 'to'/ }])
})

t.test('an event that some observers do not hear here, though they would in one process, is a warning', async (t) => {
  const services = { rates, near: { observes: ['role:rates'] }, far: { observes: ['role:rates,event:changed'] } }
  const groups = { one: ['rates', 'near'], two: { services: ['far'], peers: [] } }
  t.match(plan(services, groups).findings, [{ level: 'warning', code: 'UNHEARD', message: /'far'/ }])
})

t.test('a pattern that only more specific ones answer is accepted with the keys it still needs', async (t) => {
  const services = { rates: { adds: ['role:rates,cmd:get,pair:*'] }, asker: { uses: ['role:rates,cmd:get'] } }
  t.match(plan(services, { all: '*' }).findings, [
    { level: 'warning', code: 'INCOMPLETE', message: /brings 'pair' for/ },
  ])
})

t.test('a pattern that shares no more than a key with another one does not get it as a home', async (t) => {
  const services = { rates: { adds: ['role:rates,to:jpy', 'ping:true'] }, asker: { uses: ['role:rates,cmd:gte'] } }
  t.strictSame(codes(plan(services, { all: '*' })), ['MISSING_HOME'])
})

t.test('one pattern of two services is a warning in one process, and an error in different ones', async (t) => {
  const services = { old: { adds: ['role:a'] }, young: { adds: ['role:a'] } }
  t.match(plan(services, { all: '*' }).findings, [
    { level: 'warning', code: 'SHADOWED', message: /'young' stands in front/ },
  ])
  t.match(plan(services, { one: ['old'], two: ['young'] }).findings, [{ level: 'error', code: 'SHADOWED' }])
  t.match(plan(services, { one: ['old', 'young'], two: ['young'] }).findings, [{ level: 'error', code: 'SHADOWED' }])
})

t.test('patterns that may match one message while only the alphabet decides are ambiguous', async (t) => {
  const findings = (a: string, b: string) => codes(plan({ a: { adds: [a] }, b: { adds: [b] } }, { all: '*' }))
  t.strictSame(findings('role:a,cmd:b', 'role:a,to:c'), ['AMBIGUOUS'], 'the third rule decides')
  t.strictSame(findings('role:a*', 'role:*b'), ['AMBIGUOUS'], 'the fifth rule decides')
  t.strictSame(findings('role:a,cmd:b', 'role:c,to:c'), [], 'they never meet')
  t.strictSame(findings('role:a*', 'role:b*'), [], 'they never meet')
  t.strictSame(findings('role:a*', 'role:a?'), [], 'one is a special case of the other')
  t.strictSame(findings('cmd:a', 'to:b'), [], 'no message is meant for both')
  t.strictSame(findings('role:a,cmd:b', 'role:a'), [], 'the first rule decides')
  t.strictSame(findings('role:a,cmd:b', 'role:a,to:*'), [], 'the second rule decides')
  t.strictSame(findings('role:aa*', 'role:*b'), [], 'the fourth rule decides')
})

t.test('two services are ambiguous once, however many of their patterns are', async (t) => {
  const services = { a: { adds: ['r:1,x:1', 'r:1,x:2'] }, b: { adds: ['r:1,y:1', 'r:1,y:2'] } }
  t.match(plan(services, { all: '*' }).findings, [{ code: 'AMBIGUOUS', message: /'a' answers.*for 3 more/ }])
})

t.test('a wrap that will not follow actions of another service is told of', async (t) => {
  const services = { rates: { adds: ['role:rates'] }, audit: { adds: ['role:audit'], wraps: ['role:rates'] } }
  t.strictSame(codes(plan(services, { all: '*' })), [])
  t.match(plan(services, { one: ['rates'], two: ['audit'] }).findings, [
    { level: 'warning', code: 'FOREIGN_WRAP', message: /'role:rates' of 'rates'.*'one'/ },
  ])
})

t.test('a wrap of a plugin is in every process', async (t) => {
  const offers = offersOf({ rates })
  const { findings } = planDeployment({
    ...described({ rates }, { one: ['rates'], two: ['rates'] }),
    offers: {
      ...offers,
      plugins: new Map([['policy', { actions: [], subscriptions: [], events: [], wraps: [toPattern('')] }]]),
    },
  })
  t.notOk(findings.some(({ code }) => code === 'FOREIGN_WRAP'))
})

t.test('a door shows what it lets in, and never an internal action unnoticed', async (t) => {
  const services = { rates: { ...rates, uses: [], internal: ['role:rates,cmd:set'] } }
  const door = (expose: '*' | string[]) =>
    ({ web: { services: ['rates'], outside: { transport: 'http', expose } } }) as const
  const careful = plan(services, door(['role:rates,cmd:get']))
  t.strictSame(careful.findings, [])
  t.match(careful.doors, [
    { group: 'web', transport: 'http', auth: false, actions: [{ pattern: 'cmd:get,role:rates', service: 'rates' }] },
  ])
  t.match(plan(services, door('*')).findings, [
    {
      level: 'error',
      code: 'EXPOSED_INTERNAL',
      where: 'deployments.it.groups.web.outside.expose',
      message: /cmd:set,role:rates/,
    },
  ])
})

t.test('the doors of replicas are shown with all of their ports', (t) => {
  const group = (port: number, urls?: string[]): GroupDescription => ({
    services: ['rates'],
    replicas: 2,
    listen: urls === undefined ? {} : { urls },
    outside: { transport: 'http', port, expose: '*' },
  })
  const ports = (group: GroupDescription) => plan({ rates }, { group }).doors.map(({ ports }) => ports)
  t.strictSame(ports(group(8091)), [[8091, 8092]])
  t.strictSame(ports(group(0)), [[0]], 'a free one each')
  t.strictSame(ports(group(8091, ['ws://a:1/ws', 'ws://b:1/ws'])), [[8091]], 'on machines of their own')
  t.end()
})

t.test('a door that exposes what it does not have is told of', async (t) => {
  const services = { rates: { ...rates, uses: [] }, web: { adds: ['role:web'] } }
  const groups = (expose: string) =>
    ({ one: ['rates'], two: { services: ['web'], outside: { transport: 'http', expose: [expose] } } }) as const
  t.match(plan(services, groups('role:rates,cmd:*')).findings, [
    { level: 'error', code: 'EXPOSED_ELSEWHERE', message: /'rates'/ },
  ])
  t.match(plan(services, groups('role:wbe')).findings, [
    { level: 'warning', code: 'EXPOSES_NOTHING', message: /'role:web'\?/ },
  ])
  t.match(plan(services, groups('role:rates')).findings, [
    {
      code: 'EXPOSES_NOTHING',
      message:
        /lets in no action: an exposed pattern has exactly the keys of its actions\. Did you mean 'cmd:\*,role:rates'\?$/,
    },
  ])
})

t.test('an action that hides an exposed one is told of, and so is one that a door goes past', async (t) => {
  const services = { wide: { adds: ['role:a'] }, narrow: { adds: ['role:a,admin:true'] } }
  const outside = { transport: 'http', expose: ['role:a'] } as const
  t.match(plan(services, { all: { services: '*', outside } }).findings, [
    { level: 'warning', code: 'HIDDEN_BY_SPECIFIC' },
  ])
  t.match(plan(services, { one: { services: ['wide'], outside }, two: ['narrow'] }).findings, [
    { level: 'warning', code: 'BYPASSED' },
  ])
  const both = { ...outside, expose: ['role:a', 'role:a,admin:*'] }
  t.strictSame(codes(plan(services, { all: { services: '*', outside: both } })), [], 'both are exposed')
})

t.test('listeners of one machine clash with each other, ports of replicas included', async (t) => {
  const services = { a: { adds: ['a:1'] }, b: { adds: ['b:1'] } }
  const groups = (a: GroupDescription, b: GroupDescription) => ({
    one: { ...a, services: ['a'] },
    two: { ...b, services: ['b'] },
  })
  const clashing = (a: Partial<GroupDescription>, b: Partial<GroupDescription>) =>
    plan(services, groups(a as GroupDescription, b as GroupDescription)).findings.filter(
      ({ code }) => code === 'PORT_CLASH',
    )
  t.equal(clashing({ listen: { port: 7000 }, replicas: 3 }, { listen: { port: 7002 } }).length, 1)
  t.equal(clashing({ listen: { port: 7000 }, replicas: 2 }, { listen: { port: 7002 } }).length, 0)
  t.equal(clashing({ listen: { port: 7000, host: '0.0.0.0' } }, { listen: { port: 7000 } }).length, 1)
  t.equal(clashing({ listen: { port: 7000, host: '127.0.0.2' } }, { listen: { port: 7000 } }).length, 0)
  t.equal(
    clashing({ listen: { port: 7000 } }, { outside: { transport: 'http', port: 7000, expose: ['b:1'] } }).length,
    1,
  )
  const at = (host: string) => ({ listen: { port: 7000, host: '0.0.0.0', urls: [`ws://${host}:7000`] } })
  t.equal(clashing(at('one.internal'), at('two.internal')).length, 0, 'they run on different machines')
})

t.test('a singleton that runs twice is an error', async (t) => {
  const single = { rates: { ...rates, uses: [] } }
  const { system, deployment } = described(single, { one: { services: ['rates'], replicas: 2 }, two: ['rates'] })
  const services = new Map([...system.services].map(([name, service]) => [name, { ...service, singleton: true }]))
  const { findings } = planDeployment({ system: { ...system, services }, deployment, offers: offersOf(single) })
  t.strictSame(
    findings.map(({ code }) => code),
    ['SINGLETON_REPLICATED', 'SINGLETON_REPLICATED'],
  )
})

t.test('processes that talk beyond this machine need a secret', async (t) => {
  const services = { rates, convert }
  const open = { one: ['rates'], two: { services: ['convert'], listen: { host: '0.0.0.0', port: 7000 } } }
  const none = { secret: undefined, listen: { host: undefined, port: undefined }, peers: new Map() }
  const found = (groups: Groups, environment: PlanOptions['environment']) =>
    codes(planDeployment({ ...described(services, groups), offers: offersOf(services), environment }))
  t.strictSame(found(open, none), ['SECRET_MISSING'])
  t.strictSame(found(open, { ...none, secret: 'a secret of some length' }), [])
  t.strictSame(found({ one: ['rates'], two: ['convert'] }, none), [], 'loopback needs none from outside')
  const anywhere = { ...none, listen: { host: '0.0.0.0', port: undefined } }
  t.strictSame(found({ one: ['rates'], two: ['convert'] }, anywhere), ['SECRET_MISSING'])
  t.strictSame(
    found(
      { one: ['rates'], two: ['convert'] },
      { ...none, peers: new Map([['LUCILIUS_PEERS_TWO', ['ws://10.0.0.7:1']]]) },
    ),
    ['SECRET_MISSING'],
  )
  t.strictSame(found({ all: { services: '*', listen: { host: '0.0.0.0' } } }, none), [], 'one process talks to nobody')
})

const order: Sketch = { adds: ['role:order,cmd:place'], declares: ['role:order,event:created'], uses: [] }
const notify: Sketch = { keeps: { outbox: 'role:order,event:*' }, uses: [] }
const apart = { one: ['order'], two: ['notify'] } as const

t.test('what is durable needs a store in every deployment that has it', async (t) => {
  const services = { order, notify }
  t.match(plan(services, apart).findings, [
    {
      level: 'error',
      code: 'STORE_MISSING',
      where: 'deployments.it.store',
      message: /^Nothing keeps the event 'event:created,role:order' of 'order' \(and 1 more\)\. Set 'store' to 'nats'/,
    },
  ])
  t.strictSame(codes(plan({ rates: { declares: ['=role:rates'] } }, { a: ['rates'], b: ['rates'] })), ['STORE_MISSING'])
  t.strictSame(
    plan(services, { one: ['order'], two: ['order'] }, { store: false }).findings.map(({ code }) => code),
    ['STORE_MISSING', 'SERVICE_NOWHERE'],
  )
  for (const rest of [{ store: 'nats' }, { transport: 'amqp' }] as const) {
    const { findings, store } = plan(services, apart, rest)
    t.strictSame(findings, [])
    t.equal(store?.kind, Object.values(rest)[0])
  }
  const { findings, store, events, durables } = plan(services, { all: '*' })
  t.strictSame(findings, [])
  t.strictSame(store, { kind: 'embedded', path: join('.lucilius', 'store', 'it') }, 'one process has files of its own')
  t.strictSame(events, [{ service: 'order', pattern: 'event:created,role:order', durable: true, retain: false }])
  t.strictSame(durables, [{ name: 'notify.outbox', pattern: 'event:*,role:order' }])
  t.strictSame(codes(plan(services, { all: '*' }, { store: false })), ['STORE_MISSING'], 'unless it wants none')
  t.strictSame(codes(plan({ rates, convert }, { one: '*', two: '*' })), [], 'nothing durable needs none')
})

t.test('an embedded store is for one process', async (t) => {
  t.match(plan({ order, notify }, apart, { store: { embedded: 'events' } }).findings, [
    { level: 'error', code: 'STORE_SHARED', where: 'deployments.it.store', message: /2 processes would open it/ },
  ])
  const replicas = { all: { services: '*', replicas: 3 } } as const
  t.strictSame(codes(plan({ order, notify }, replicas, { store: 'embedded' })), ['STORE_SHARED'])
})

t.test('a durable subscription to what nobody declares durable is told that it gets nothing', async (t) => {
  const deaf: Sketch = { keeps: { outbox: 'role:order,event:paid' }, uses: [] }
  t.match(plan({ order, deaf }, { all: '*' }).findings, [
    {
      level: 'warning',
      code: 'NEVER_STORED',
      where: 'services.deaf',
      message:
        /'deaf\.outbox' to 'event:paid,role:order' would get: app\.event\('event:paid,role:order', \{ durable: true/,
    },
  ])
  const retained: Sketch = { declares: ['=role:order,event:paid'], uses: [] }
  t.strictSame(codes(plan({ retained, deaf }, { all: '*' })), ['NEVER_STORED'], 'retained alone is not for it')
  t.strictSame(codes(plan({ order, notify }, { one: ['notify'] })), ['SERVICE_NOWHERE', 'NEVER_STORED'])
})

t.test('a durable event reaches durable subscriptions of groups that its own has no link to', async (t) => {
  const emitting: Sketch = { ...order, uses: ['role:order,event:created'] }
  const groups = { one: { services: ['order'], peers: [] }, two: ['notify'] } as const
  const { findings, messages } = plan({ order: emitting, notify }, groups, { store: 'nats' })
  t.strictSame(findings, [])
  t.match(messages, [{ kind: 'emit', crosses: true, to: [{ service: 'notify', groups: ['two'], via: 'store' }] }])
})

t.test(
  'a plan tells how processes find each other, and of whom nobody looks for though he could be found',
  async (t) => {
    const groups: Groups = {
      one: ['rates'],
      two: { services: ['convert'], listen: { port: 7400 } },
      three: { services: ['convert'], listen: { host: '0.0.0.0', port: 7500 } },
    }
    const discovery = { dns: '{group}.shop.test:7400', multicast: true }
    const planned = plan({ rates, convert }, groups, { discovery })
    t.strictSame(planned.discovery, [
      {
        by: 'dns',
        names: [
          { group: 'one', name: 'one.shop.test:7400' },
          { group: 'three', name: 'three.shop.test:7400' },
        ],
        servers: null,
      },
      { by: 'multicast', group: '239.255.76.85', port: 7685 },
    ])
    const environment = readEnvironment({
      LUCILIUS_ETCD_URL: 'http://etcd-1:2379,http://etcd-2:2379',
      LUCILIUS_MULTICAST: '239.1.1.1:7000',
      LUCILIUS_PEERS_THREE: 'ws://three:7400/ws',
    })
    const text = planLines(plan({ rates, convert }, groups, { discovery }, { environment }), false)
    const at = text.indexOf('Where they look for each other')
    t.strictSame(text.slice(at + 1, at + 4), [
      '  dns        one.shop.test:7400',
      '  etcd       http://etcd-1:2379, http://etcd-2:2379',
      '  multicast  group 239.1.1.1, port 7000',
    ])
    t.match(
      planned.findings.filter(({ code }) => code === 'NOT_LOOKED_FOR'),
      [
        {
          level: 'warning',
          where: 'deployments.it.groups.two.listen',
          message: /do not look for 'two' by dns or multicast: its 'listen' says where it is\. .*LUCILIUS_PORT/,
        },
      ],
    )
    const told = plan({ rates, convert }, groups)
    t.strictSame([told.discovery, codes(told).includes('NOT_LOOKED_FOR')], [[], false])
  },
)

t.test('a plan shows what goes by which route, and a route that nothing goes by is told of', async (t) => {
  const routes = [
    { match: 'role:rates', via: 'nats' },
    { match: 'role:rates,event:*', via: 'amqp' },
    { match: 'role:rate,cmd:get', via: 'nats' },
    { match: 'role:*', via: 'nats' },
    { match: 'cmd:*,role:rates', via: 'websocket' },
  ] as const
  const planned = plan({ rates, convert }, { one: ['rates'], two: ['convert'] }, { routes })
  t.match(planned.routes, [
    { match: 'cmd:get,role:rate', via: 'nats', patterns: [] },
    { match: 'cmd:*,role:rates', via: 'websocket', patterns: ['cmd:get,role:rates', 'cmd:set,role:rates'] },
    { match: 'event:*,role:rates', via: 'amqp', patterns: ['event:changed,role:rates'] },
    { match: 'role:rates', via: 'nats', patterns: [] },
    { match: 'role:*', via: 'nats', patterns: ['cmd:amount,role:convert'] },
  ])
  t.match(planned.findings, [
    {
      level: 'warning',
      code: 'ROUTE_IDLE',
      message: /'cmd:get,role:rate': it covers no action.*'cmd:get,role:rates'\?$/,
    },
    { code: 'ROUTE_IDLE', where: 'deployments.it.routes', message: /'role:rates': a more specific route has all/ },
  ])
  t.match(
    planned.messages.map(({ pattern, to }) => [pattern, to[0]?.via]),
    [
      ['event:changed,role:rates', 'amqp'],
      ['cmd:get,role:rates', 'websocket'],
    ],
  )
  t.equal(plan({ rates, convert }, { all: '*' }).messages[0]?.to[0]?.via, null, 'within a process nothing carries it')
})

t.test('over a broker nobody listens on a port, and no secret is needed', async (t) => {
  const services = { rates, convert }
  const listen = { host: '0.0.0.0', port: 7000 }
  const groups = { one: { services: ['rates'], listen }, two: { services: ['convert'], listen } }
  t.strictSame(codes(plan(services, groups)), ['PORT_CLASH', 'SECRET_MISSING'], 'unlike this')
  const none = { secret: undefined, listen: { host: undefined, port: undefined }, peers: new Map() }
  const servers = ['nats://n1:4222', 'nats://n2:4222']
  const { processes, brokers, findings } = plan(
    services,
    groups,
    { transport: 'nats', brokers: { nats: { servers } } },
    { environment: none },
  )
  t.strictSame(findings, [])
  t.strictSame(
    processes.map((process) => process.listen),
    [null, null],
  )
  t.strictSame(brokers, [{ name: 'nats', servers }])
})

t.test('processes on several machines have to be told where their broker is', async (t) => {
  const services = { rates, convert }
  const groups = { one: { services: ['rates'], listen: { host: '0.0.0.0' } }, two: ['convert'] } as const
  const at = (variables: Readonly<Record<string, string>>) => ({ environment: readEnvironment(variables) })
  t.match(plan(services, groups, { transport: 'nats' }, at({})).findings, [
    {
      level: 'error',
      code: 'BROKER_UNKNOWN',
      where: 'deployments.it.brokers.nats',
      message: /Set LUCILIUS_NATS_URL\.$/,
    },
  ])
  const told = plan(services, groups, { transport: 'amqp' }, at({ LUCILIUS_AMQP_URL: 'amqps://u:canary@rabbit/shop' }))
  t.strictSame(told.findings, [])
  t.strictSame(told.brokers, [{ name: 'amqp', servers: ['amqps://rabbit'] }], 'without user and password')
  const here = plan(services, { one: ['rates'], two: ['convert'] }, { transport: 'nats' }, at({}))
  t.strictSame(here.findings, [], 'on one machine it is where it usually is')
})

t.test('a package that is needed and not installed is named, with the line to run', async (t) => {
  const isInstalled = (name: string) => !['amqplib', 'classic-level', '@nats-io/jetstream'].includes(name)
  const found = (rest: Rest, sketches: Sketches = { rates, convert }) =>
    plan(sketches, { all: '*' }, rest, { isInstalled }).findings.map(({ code, message }) => `${code} ${message}`)
  t.match(found({ transport: 'amqp' }), [/^PACKAGE_MISSING 'it' needs 'amqplib', .* Run: npm install amqplib$/])
  t.match(found({ store: 'nats' }), [/^PACKAGE_MISSING .* Run: npm install @nats-io\/jetstream$/])
  t.strictSame(found({}), [], 'nothing durable needs no embedded store')
  t.match(found({}, { order, notify }), [/^PACKAGE_MISSING .* Run: npm install classic-level$/])
})

t.test('what comes from programs of others and goes to them is looked for like what services send', async (t) => {
  const amqp = {
    consume: [{ queue: 'orders', as: 'role:order,event:created' }],
    publish: [{ match: 'role:rates,event:changed', exchange: 'rates', key: 'changed' }],
  }
  const groups = { one: { services: ['rates'], amqp }, two: ['convert'] } as const
  const { findings, messages } = plan({ rates, convert: { ...convert, observes: [] } }, groups, { transport: 'amqp' })
  t.match(findings, [
    { code: 'UNHEARD', where: 'deployments.it.groups.one.amqp.consume[0].as', message: /'amqp.one' emits/ },
  ])
  t.match(messages, [{ pattern: 'event:changed,role:rates', to: [{ service: 'amqp.one', groups: ['one'] }] }, {}])
  const kept = { publish: [{ ...amqp.publish[0], durable: 'out' }] } as ForeignDescription
  const outbox = plan({ rates }, { one: { services: ['rates'], amqp: kept } }, { transport: 'amqp' })
  t.match(outbox.findings, [{ code: 'NEVER_STORED', where: 'deployments.it.groups.one.amqp.publish' }])
  t.strictSame(outbox.durables, [{ name: 'amqp.one.out', pattern: 'event:changed,role:rates' }])
})

t.test('groups that act on each other in a circle are told of, with the way around', async (t) => {
  const services = {
    a: { adds: ['role:a'], uses: ['role:b'] },
    b: { adds: ['role:b'], uses: ['role:c'] },
    c: { adds: ['role:c'], uses: ['role:a'] },
  }
  t.match(plan(services, { one: ['a'], two: ['b'], three: ['c'] }).findings, [
    { level: 'warning', code: 'CYCLE', message: /'one' acts on 'two'.*'two' acts on 'three'.*'three' acts on 'one'/ },
  ])
  t.strictSame(codes(plan(services, { all: '*' })), [])
})

t.test('groups that answer acts with events are in no circle', async (t) => {
  t.strictSame(codes(plan({ rates, convert }, { one: ['rates'], two: ['convert'] })), [])
})

t.test('a service that needs another one in its process is told where it has none', async (t) => {
  const services = { rates: { adds: ['role:rates'] }, convert: { adds: ['role:convert'], needs: ['rates'] } }
  t.strictSame(codes(plan(services, { all: '*' })), [])
  t.strictSame(codes(plan(services, { one: ['rates'], two: ['convert'] })), ['NEED_MISSING'])
  t.strictSame(codes(plan(services, { all: ['convert', 'rates'] })), ['NEED_MISSING'], 'it stands behind')
})

t.test('where a service cannot be loaded, nobody says what has no home', async (t) => {
  const services = { rates: { fails: "'rates' cannot be loaded: no" }, convert }
  t.match(plan(services, { one: ['rates'], two: ['convert'] }).findings, [
    { level: 'error', code: 'LOAD_FAILED', where: 'services.rates', message: /no$/ },
  ])
  t.equal(plan(services, { one: ['rates'], two: ['convert'] }).findings.length, 1)
})

t.test('a recorded run is checked like what is declared, and against it', async (t) => {
  const services = { rates, convert, mute: { adds: ['role:mute'] } }
  const { findings, messages } = planDeployment({
    ...described(services, { all: '*' }),
    offers: offersOf(services),
    recording: [
      { service: 'convert', kind: 'act', message: { role: 'rates', cmd: 'get', currency: 'eur' } },
      { service: 'convert', kind: 'act', message: { role: 'rates', cmd: 'set' } },
      { service: 'convert', kind: 'act', message: { role: 'rates', cmd: 'drop' } },
      { service: 'mute', kind: 'act', message: { role: 'convert', cmd: 'amount' } },
      { service: 'mute', kind: 'emit', message: { event: 'unheard' } },
      { service: 'gone', kind: 'act', message: { role: 'rates' } },
    ],
  })
  t.match(findings, [
    { code: 'MISSING_HOME', message: /'cmd:drop,role:rates'/, where: 'services.convert.uses' },
    { code: 'UNHEARD', message: /'event:unheard'/ },
    { code: 'UNDECLARED', message: /'convert' acted on 'cmd:set,role:rates'/ },
    { code: 'UNDECLARED', message: /'cmd:drop,role:rates'/ },
    { code: 'UNKNOWN_SENDER', message: /'gone'/ },
  ])
  t.equal(findings.length, 5)
  t.match(
    messages.find(({ service }) => service === 'mute'),
    { kind: 'act', to: [{ service: 'convert' }] },
  )
})

t.test('nothing is said of a recorded event that nobody observes, where `emits` covers it', async (t) => {
  const services = { rates: { ...rates, uses: [], emits: ['role:rates,event:*'] } }
  const message = { role: 'rates', event: 'changed' }
  const findings = (kind: 'act' | 'emit') => {
    const recording = [{ service: 'rates', kind, message }]
    return planDeployment({ ...described(services, { all: '*' }), offers: offersOf(services), recording }).findings
  }
  t.strictSame(findings('emit'), [])
  t.match(findings('act'), [{ code: 'MISSING_HOME' }, { code: 'UNDECLARED' }])
})

t.test('a value that was recorded is text, and no glob', async (t) => {
  const services = { rates, asker: { adds: ['role:asker'] } }
  const recording = [{ service: 'asker', kind: 'act', message: { role: 'rates', cmd: '*' } }] as const
  const { findings } = planDeployment({ ...described(services, { all: '*' }), offers: offersOf(services), recording })
  t.ok(findings.some(({ code, where }) => code === 'MISSING_HOME' && where === 'services.asker.uses'))
})

t.test('two globs meet if there is a text that both match', async () => {
  const texts = ['']
  for (const text of texts) if (text.length < 7) texts.push(`${text}a`, `${text}b`)
  const glob = fc.string({ unit: fc.constantFrom('a', 'b', '*', '?'), minLength: 1, maxLength: 4 })
  fc.assert(
    fc.property(glob, glob, (one, other) => {
      const [a, b] = [toPattern({ key: one }), toPattern({ key: other })]
      const both = texts.some((key) => patternMatches(a, { key }) && patternMatches(b, { key }))
      return meets(a, b) === both && meets(b, a) === both
    }),
    { numRuns: 2000 },
  )
})

t.test('what a plugin within a service registers is offered by the service', async (t) => {
  const action = (pattern: string, service: string) => ({ pattern, service, idempotent: false })
  const wrap = (pattern: string, service: string, at: 'handler' | 'caller') => ({ pattern, service, at })
  const offers = offeredBy(['s', 'p'], {
    plugins: [
      { name: 's', within: undefined },
      { name: 'inner', within: 's' },
      { name: 'p', within: undefined },
    ],
    actions: [action('a:1', 'p'), action('a:1', 's'), action('b:1', 'inner')],
    subscriptions: [
      { pattern: 'c:1', service: 'inner', each: false },
      { pattern: 'd:1', service: 'inner', each: false, durable: 'audit' },
    ],
    events: [{ pattern: 'e:1', service: 'inner', durable: true, retain: false }],
    wraps: [wrap('', 'p', 'handler'), wrap('a:1', 's', 'caller')],
  })
  const texts = (name: string) => {
    const { actions, subscriptions, events, wraps } = offers.get(name) as Offer
    const observed = [...subscriptions, ...events].map(({ pattern }) => pattern)
    return [actions, observed, wraps].map((patterns) => patterns.map(({ text }) => text))
  }
  t.strictSame(
    texts('s'),
    [['a:1', 'b:1'], ['c:1', 'd:1', 'e:1'], []],
    'and a wrap of the side of the caller follows the caller',
  )
  t.strictSame(texts('p'), [['a:1'], [], ['']])
  t.equal(offers.get('s')?.subscriptions[1]?.durable, 'inner.audit')
})

t.test('the docs list every code with its level, what it means and what to do', async (t) => {
  const path = 'docs/plan.md'
  const page: Page = { path, text: readFileSync(join(repoRoot(), path), 'utf8') }
  const rows = tableRows(page, ['code', 'level', 'meaning', 'what to do'])
  const expected = Object.entries(findingTable).map(([code, { levels, meaning, cure }]) => [
    code,
    levels.join(' or '),
    meaning,
    cure,
  ])
  t.strictSame(rows, expected)
})

function plan(sketches: Sketches, groups: Groups, rest: Rest = {}, options: Partial<PlanOptions> = {}): Plan {
  return planDeployment({ ...described(sketches, groups, rest), offers: offersOf(sketches), ...options })
}

type Rest = Omit<DeploymentDescription, 'groups'>

function described(sketches: Sketches, groups: Groups, rest: Rest = {}): Pick<PlanOptions, 'system' | 'deployment'> {
  const services = Object.entries(sketches).map(([name, sketch]) => {
    const { adds, observes, keeps, declares, wraps, needs, fails, ...description } = sketch
    return [name, { ...description, module: `./${name}.js` }]
  })
  const system = defineSystem({ services: Object.fromEntries(services), deployments: { it: { groups, ...rest } } })
  const deployment = system.deployments.get('it')
  if (deployment === undefined) throw new Error('There is one.')
  return { system, deployment }
}

function offersOf(sketches: Sketches): Offers {
  const all = Object.entries(sketches)
  const patterns = (texts: readonly string[] = []) => texts.map(toPattern)
  const loaded = all.filter(([, { fails }]) => fails === undefined)
  return {
    services: new Map(
      loaded.map(([name, { adds, observes, keeps = {}, declares = [], wraps }]) => [
        name,
        {
          actions: patterns(adds),
          subscriptions: [
            ...patterns(observes).map((pattern) => ({ pattern, durable: undefined })),
            ...Object.entries(keeps).map(([own, text]) => ({ pattern: toPattern(text), durable: `${name}.${own}` })),
          ],
          events: declares.map((text) => ({
            pattern: toPattern(text.replace('=', '')),
            durable: !text.startsWith('='),
            retain: text.startsWith('='),
          })),
          wraps: patterns(wraps),
        },
      ]),
    ),
    plugins: new Map(),
    needs: new Map(all.map(([name, { needs = [] }]) => [name, needs])),
    failures: all.flatMap(([service, { fails }]) =>
      fails === undefined ? [] : [{ service, message: fails, frame: undefined }],
    ),
  }
}

function codes({ findings }: Plan): FindingCode[] {
  return findings.map(({ code }) => code)
}
