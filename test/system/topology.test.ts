import t from 'tap'
import { defineSystem } from '../../lib/system/define-system.js'
import { drainOrder } from '../../lib/system/order.js'
import type { Group, System } from '../../lib/system/system.js'
import {
  areLinked,
  checkSingletons,
  deploymentOfDev,
  onItsMachine,
  onOneProcess,
  processesOf,
  wholeSystem,
} from '../../lib/system/topology.js'

const services = { rates: './rates.js', convert: './convert.js', market: './market.js' }

t.test('each replica of a group is a process, and a group without replicas is called by its name', (t) => {
  const processes = processesOf(split())
  t.strictSame(
    processes.map(({ id, group, replica }) => [id, group.name, replica]),
    [
      ['market', 'market', 1],
      ['convert.1', 'convert', 1],
      ['convert.2', 'convert', 2],
    ],
  )
  t.end()
})

t.test('replicas on one machine take the ports that follow, and free ports where none is given', (t) => {
  t.strictSame(
    processesOf(split()).map(({ port, outside }) => [port, ...outside.map((door) => door.port)]),
    [[0], [7400, 8080, 0], [7401, 8081, 0]],
  )
  t.end()
})

t.test('a group may get other replicas than it is described with', (t) => {
  const counts = new Map([
    ['convert', 1],
    ['market', 2],
  ])
  t.strictSame(
    processesOf(split(), counts).map(({ id }) => id),
    ['market.1', 'market.2', 'convert'],
  )
  t.end()
})

t.test('replicas of no group, none at all, and ports that do not suffice are refused', (t) => {
  const deployment = split()
  const refused = (name: string, count: number, message: RegExp) =>
    t.throws(() => processesOf(deployment, new Map([[name, count]])), { code: 'LUC_OPTIONS_INVALID', message })
  refused('convrt', 2, /^There is no group 'convrt' in the deployment 'split': did you mean 'convert'\?$/)
  refused('convert', 0, /^The replicas of 'convert' are a whole number from 1 to 1000, not 0\.$/)
  refused('convert', 1.5, /not 1\.5\.$/)
  refused('convert', 1e9, /from 1 to 1000/)
  const high = onlyGroup({ services: '*', listen: { port: 65_535 } })
  t.throws(() => processesOf(high, new Map([['a', 2]])), { message: /^Group 'a': replica 2 would listen on 65536/ })
  t.end()
})

t.test('groups exchange messages if both allow it, and replicas of a group always do', (t) => {
  const deployment = defineSystem({
    services,
    deployments: {
      split: {
        groups: {
          open: '*',
          a: { services: '*', peers: ['b'] },
          b: { services: '*', peers: ['a', 'open'] },
          alone: { services: '*', peers: [] },
        },
      },
    },
  }).deployments.get('split')
  const linked = (one: string, other: string) =>
    [areLinked(group(one), group(other)), areLinked(group(other), group(one))].join()
  const group = (name: string) => deployment?.groups.get(name) as Group // they are described above
  t.equal(linked('a', 'b'), 'true,true')
  t.equal(linked('b', 'open'), 'true,true')
  t.equal(linked('a', 'open'), 'false,false', 'one side alone does not suffice')
  t.equal(linked('alone', 'open'), 'false,false')
  t.equal(linked('alone', 'alone'), 'true,true')
  t.end()
})

t.test('a system is one process with all services and no door, unless something else is said', (t) => {
  const [whole, ...others] = processesOf(wholeSystem(defineSystem({ services })))
  t.strictSame(others, [])
  t.strictSame(
    [whole?.id, whole?.port, whole?.outside, whole?.group.services],
    ['all', 0, [], ['rates', 'convert', 'market']],
  )
  t.end()
})

t.test('on one process each door lets in what it lets in when the groups run apart', (t) => {
  const a = { services: ['rates'], outside: { transport: 'http', port: 8080, expose: '*' } } as const
  const b = { services: ['convert', 'market'], outside: { transport: 'http', port: 8080, expose: '*' } } as const
  const deployment = onOneProcess(defineSystem({ services, deployments: { split: { groups: { a, b } } } }))
  const [all, ...others] = processesOf(deployment)
  t.strictSame(others, [])
  t.strictSame(all?.group.services, ['rates', 'convert', 'market'])
  t.strictSame(
    all?.outside.map(({ port, services }) => [port, services]),
    [
      [8080, ['rates']],
      [0, ['convert', 'market']],
    ],
    'and a port that is taken is replaced by a free one',
  )
  t.end()
})

t.test('dev opens the doors of the deployment dev, else of the first one, else none', (t) => {
  const door = (port: number) => ({
    groups: { all: { services: '*', outside: { transport: 'http', port, expose: '*' } } } as const,
  })
  const ports = (system: System) =>
    processesOf(onOneProcess(system)).flatMap(({ outside }) => outside.map((one) => one.port))
  t.strictSame(ports(defineSystem({ services, deployments: { one: door(1), dev: door(2) } })), [2])
  t.strictSame(ports(defineSystem({ services, deployments: { one: door(1), two: door(3) } })), [1])
  const none = defineSystem({ services })
  t.strictSame(ports(none), [])
  t.equal(deploymentOfDev(none), undefined)
  t.end()
})

t.test('who asks drains before who is asked', (t) => {
  t.strictSame(drained({ web: ['role:convert'], convert: ['role:rates'], rates: [] }), [
    ['web'],
    ['convert'],
    ['rates'],
  ])
  t.strictSame(drained({ rates: [], web: ['role:rates,cmd:get'] }), [['web'], ['rates']], 'a wider action answers')
  t.strictSame(drained({ rates: [], web: ['role:r*'] }), [['web'], ['rates']], 'so may a more specific one')
  t.strictSame(drained({ rates: [], web: ['cmd:get'] }), [['rates', 'web']], 'others do not')
  t.end()
})

t.test('groups of which nothing is known drain together', (t) => {
  t.strictSame(drained({ a: undefined, b: undefined, c: undefined }), [['a', 'b', 'c']])
  t.strictSame(drained({ a: ['role:zzz'], b: undefined }), [['a', 'b']], 'and so do those that nobody answers')
  t.end()
})

t.test('groups that ask each other in a circle drain one after another, in the same order each time', (t) => {
  t.strictSame(drained({ b: ['role:a'], a: ['role:b'] }), [['a'], ['b']], 'by name')
  t.strictSame(
    drained({ a: ['role:b'], b: ['role:a', 'role:c'], c: ['role:a'] }),
    [['b'], ['c'], ['a']],
    'first the one that fewest ask',
  )
  t.strictSame(
    drained({ a: [], x: ['role:y', 'role:a'], y: ['role:x'], z: ['role:x'] }),
    [['z'], ['x'], ['a', 'y']],
    'after those outside that ask them, before those that they ask',
  )
  t.end()
})

t.test('a group does not ask another one for what it answers itself, nor one that it is not linked to', (t) => {
  const used = { web: { module: './web.js', uses: ['role:rates'] }, rates: './rates.js' }
  const answers = [{ pattern: 'role:rates', service: 'rates', remote: 'rates' }]
  const order = (groups: Readonly<Record<string, object>>) => {
    const system = defineSystem({ services: used, deployments: { split: { groups: groups as never } } })
    return drainOrder(system.deployments.get('split') ?? wholeSystem(system), system.services, answers)
  }
  t.strictSame(order({ web: ['web'], rates: ['rates'] }), [['web'], ['rates']])
  t.strictSame(order({ web: ['web', 'rates'], rates: ['rates'] }), [['web', 'rates']])
  t.strictSame(order({ web: { services: ['web'], peers: [] }, rates: ['rates'] }), [['web', 'rates']])
  t.end()
})

t.test('a plugin within a service answers for its group', (t) => {
  const web = { module: './web.js', uses: ['role:rates'] }
  const system = defineSystem({
    services: { web, rates: './rates.js' },
    deployments: { split: { groups: { a: ['rates'], b: ['web'] } } },
  })
  const answers = [{ pattern: 'role:rates', service: 'store', remote: 'a' }]
  const order = drainOrder(system.deployments.get('split') ?? wholeSystem(system), system.services, answers)
  t.strictSame(order, [['b'], ['a']])
  t.end()
})

t.test('a service of two groups answers for both, whichever was met first', (t) => {
  const web = { module: './web.js', uses: ['role:rates'] }
  const system = defineSystem({
    services: { web, rates: './rates.js' },
    deployments: { split: { groups: { a: ['rates'], b: ['web'], c: ['rates'] } } },
  })
  const answers = [{ pattern: 'role:rates', service: 'rates', remote: 'c' }]
  const order = drainOrder(system.deployments.get('split') ?? wholeSystem(system), system.services, answers)
  t.strictSame(order, [['b'], ['a', 'c']])
  t.end()
})

t.test(
  'replicas with machines of their own take the ports described, those of one machine the ones that follow',
  (t) => {
    const ports = (...addresses: string[]) =>
      processesOf(split(), new Map([['convert', 3]]))
        .filter(({ group }) => group.name === 'convert')
        .map((process) => onItsMachine(process, addresses))
        .map(({ port, outside }) => [port, ...outside.map((door) => door.port)].join())
    const described = '7400,8080,0'
    t.strictSame(ports('ws://a/ws', 'ws://b/ws', 'ws://c/ws'), [described, described, described])
    t.strictSame(ports('ws://a:1/ws', 'ws://a:2/ws', 'ws://b:1/ws'), [described, '7401,8081,0', described])
    t.strictSame(ports('ws://a/1', 'ws://a/2', 'ws://a/3'), [described, described, described], 'behind a proxy')
    t.strictSame(ports('ws://a/ws'), [described, described, described], 'where nobody says more')
    const [, first, second] = processesOf(split())
    t.same(
      [first, second].map((one) => one && onItsMachine(one).port),
      [7400, 7401],
      'without addresses',
    )
    t.end()
  },
)

t.test('of a singleton there is no second replica', (t) => {
  const system = defineSystem({
    services: { market: { module: './market.js', singleton: true } },
    deployments: { split: { groups: { market: ['market'] } } },
  })
  const deployment = system.deployments.get('split') ?? wholeSystem(system)
  checkSingletons(system, processesOf(deployment))
  t.throws(() => checkSingletons(system, processesOf(deployment, new Map([['market', 2]]))), {
    code: 'LUC_OPTIONS_INVALID',
    message: /^The group 'market' cannot have replicas: there is one 'market' in the whole system\.$/,
  })
  t.end()
})

/** How groups of one service each drain, by what it uses; each answers `role:<name>`, and the rates a special case. */
function drained(uses: Readonly<Record<string, readonly string[] | undefined>>): string[][] {
  const names = Object.keys(uses)
  const system = defineSystem({
    services: Object.fromEntries(
      names.map((name) => [name, { module: './x.js', ...(uses[name] === undefined ? {} : { uses: uses[name] }) }]),
    ),
    deployments: { split: { groups: Object.fromEntries(names.map((name) => [name, [name]])) } },
  })
  const answers = names.map((name) => ({ pattern: `role:${name}`, service: name, remote: name }))
  return drainOrder(system.deployments.get('split') ?? wholeSystem(system), system.services, answers)
}

function split() {
  const { deployments } = defineSystem({
    services,
    deployments: {
      split: {
        groups: {
          market: ['market', 'rates'],
          convert: {
            services: ['convert'],
            replicas: 2,
            listen: { port: 7400 },
            outside: [
              { transport: 'http', port: 8080, expose: '*' },
              { transport: 'websocket', expose: '*' },
            ],
          },
        },
      },
    },
  })
  const [deployment] = deployments.values()
  if (deployment === undefined) throw new Error('There is no deployment.')
  return deployment
}

function onlyGroup(a: { services: '*'; listen: { port: number } }) {
  const [deployment] = defineSystem({ services, deployments: { split: { groups: { a } } } }).deployments.values()
  if (deployment === undefined) throw new Error('There is no deployment.')
  return deployment
}
