/**
 * Who may import whom. `npm run layers` checks it; a rule that stands in the way usually means that the code sits on
 * the wrong floor.
 *
 * To add a file to lib: write its name on a floor. To add a dependency: give it a room.
 */

/** The floors of lib, lowest first: a file imports from its own floor and those below. A folder ends in a slash. */
const floors = [
  [
    'auth',
    'auth-request',
    'authority',
    'bounded-memo',
    'challenge-of',
    'challenges',
    'did-you-mean',
    'errors',
    'field-path',
    'json-depth',
    'logger',
    'message',
    'nearest',
    'news',
    'option-checks',
    'plugin',
    'proof',
    'proof-text',
    'quieter',
    'registration',
    'stringify-trail',
    'trace',
    'unportable',
  ],
  [
    'covers',
    'deadline',
    'glob',
    'hearing',
    'jsonic-text',
    'message-text',
    'patience',
    'pattern',
    'portable',
    'routed-by',
    'scalars',
    'specificity',
    'wire-json',
  ],
  ['handler', 'store', 'transport', 'typed/'],
  [
    'acts/',
    'codec',
    'direct',
    'field-text',
    'flat-json',
    'header-fields',
    'mail/',
    'router/',
    'stored-event',
    'wire-error',
  ],
  ['boot', 'close-hooks', 'dispatch/', 'events/', 'explain', 'hook', 'life-cycle', 'options', 'peers/', 'unanswered'],
  [
    'admission',
    'app',
    'connections',
    'core',
    'early',
    'host',
    'lucilius',
    'plugin-use',
    'registrar',
    'replacement',
    'view',
  ],
  ['index', 'transport-kit'],
  ['system/'],
  ['register', 'testing/'],
  ['cli/'],
]

/** The only place that may import a package of package.json. A package that is not here may be imported nowhere. */
const rooms = {
  '@nats-io/jetstream': '^transports/nats/',
  '@nats-io/transport-node': '^transports/nats/',
  '@standard-schema/spec': '^lib/', // types only, see below
  '@swc/wasm-typescript': '^lib/system/loading/',
  amqplib: '^transports/amqp/',
  avvio: '^lib/boot[.]ts$',
  chokidar: '^lib/cli/',
  'classic-level': '^transports/embedded/',
  commander: '^lib/cli/',
  'fastest-levenshtein': '^lib/nearest[.]ts$',
  fastify: '^transports/http/',
  jsonic: '^lib/jsonic-text[.]ts$',
  patrun: '^lib/router/',
  picocolors: '^lib/cli/',
  'secure-json-parse': '^lib/wire-json[.]ts$',
  undici: '^transports/http/',
  ws: '^transports/websocket/',
  yaml: '^lib/cli/export/',
}

/** The doors: what a name such as `lucilius/plugins/log` stands for, as source, as built, and before it is built. */
const doors = {
  source: '^(lib/(index|transport-kit|register|(system|testing)/index)|(transports|plugins)/[^/]+/index)[.]ts$',
  built:
    '^build/(lib/(index|transport-kit|register|(system|testing)/index)|(transports|plugins)/[^/]+/index)[.](js|d[.]ts)$',
  named: '^lucilius(/|$)',
}

const published = '^(lib|transports|plugins)/'
/** What runs systems. All else in lib is the core. */
const runner = '^lib/(system|testing|cli|register)\\b'
const sockets = '^(node:)?(child_process|cluster|dgram|http|http2|https|net|tls|worker_threads)$'

const escaped = (text) => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
const path = (name) => (name.endsWith('/') ? `^lib/${escaped(name)}` : `^lib/${escaped(name)}[.]ts$`)
const packageOf = (name) => `(^|/)node_modules/(@types/)?${escaped(name)}/|^${escaped(name)}(/|$)`

const floorRules = floors.slice(0, -1).map((files, floor) => ({
  name: `floor-${floor}-imports-down`,
  comment: `A file of floor ${floor} (${files.join(', ')}) imports from a higher floor.`,
  severity: 'error',
  from: { path: files.map(path) },
  to: {
    path: floors
      .slice(floor + 1)
      .flat()
      .map(path),
  },
}))

const roomRules = Object.entries(rooms).map(([name, room]) => ({
  name: `room-of-${name}`,
  comment: `${name} has one room: ${room}. Ask for what it does there.`,
  severity: 'error',
  from: { path: published, pathNot: room },
  to: { path: packageOf(name) },
}))

module.exports = {
  forbidden: [
    ...floorRules,
    {
      name: 'floor-missing',
      comment: 'A file of lib stands on no floor: add its name to the table in .dependency-cruiser.cjs.',
      severity: 'error',
      from: { path: '^lib/', pathNot: floors.flat().map(path) },
      to: {},
    },
    {
      name: 'lib-keeps-its-doors-outward',
      comment: 'Doors are for those outside lib: import the file that has the idea.',
      severity: 'error',
      from: { path: '^lib/' },
      to: { path: '^lib/(index|transport-kit|register|(system|testing)/index)[.]ts$' },
    },
    {
      name: 'lib-stands-alone',
      comment: 'lib knows no plugin, example, test or script, and the core no transport.',
      severity: 'error',
      from: { path: '^lib/' },
      to: { path: '^(plugins|examples|test|bench|scripts|build)/', pathNot: '^plugins/mock/index[.]ts$' },
    },
    {
      name: 'testing-mocks-by-the-door',
      comment: 'Only lib/testing/ imports a plugin: plugins/mock/index.ts, as a user does.',
      severity: 'error',
      from: { path: '^lib/', pathNot: '^lib/testing/' },
      to: { path: '^plugins/' },
    },
    {
      name: 'core-knows-no-transport',
      comment:
        'The core gets its transports from the app. Only lib/system/ and lib/cli/ choose one, by name or address.',
      severity: 'error',
      from: { path: '^lib/', pathNot: '^lib/(system|cli)/' },
      to: { path: '^transports/' },
    },
    {
      name: 'runner-uses-the-doors-of-transports',
      comment: 'lib/system/ and lib/cli/ import transports/*/index.ts, as a user does.',
      severity: 'error',
      from: { path: '^lib/(system|cli)/' },
      to: { path: '^transports/', pathNot: '^transports/[^/]+/index[.]ts$' },
    },
    {
      name: 'runner-loads-transports-late',
      comment: 'await import(…) the transport where it is used: a process loads none that it does not speak.',
      severity: 'error',
      from: { path: '^lib/(system|cli)/' },
      to: { path: '^transports/', dynamic: false, dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'system-door-is-light',
      comment: 'A description imports lucilius/system: it loads nothing that runs or loads services.',
      severity: 'error',
      from: { path: '^lib/system/index[.]ts$' },
      to: {
        path: [
          '^transports/[^/]+/index[.]ts$',
          '^lib/(core|lucilius|host)[.]ts$',
          '^lib/system/(control|loading|plan|supervise)/',
          sockets,
        ],
        reachable: true,
      },
    },
    {
      name: 'core-opens-no-socket',
      comment: 'Sockets, processes and threads belong to transports.',
      severity: 'error',
      from: { path: '^lib/', pathNot: runner },
      to: { path: sockets },
    },
    {
      name: 'runner-opens-sockets-in-its-rooms',
      comment:
        'Processes are started in lib/system/supervise/ and lib/cli/, sockets are in lib/system/control/, discovery/ and health/.',
      severity: 'error',
      from: { path: runner, pathNot: '^lib/(system/(control|discovery|health|loading|supervise)|cli)/' },
      to: { path: sockets },
    },
    {
      name: 'loading-has-a-thread-only',
      comment: "lib/system/loading/ talks to the thread of Node's module hooks, and opens nothing else.",
      severity: 'error',
      from: { path: '^lib/system/loading/' },
      to: { path: sockets, pathNot: '^(node:)?worker_threads$' },
    },
    {
      name: 'transport-uses-its-door',
      comment: 'A transport imports itself and lib/transport-kit.ts, as a transport of a stranger does.',
      severity: 'error',
      from: { path: '^transports/([^/]+)/' },
      to: {
        path: '^(lib|transports|plugins|examples|test|bench|scripts|build)/',
        pathNot: ['^lib/transport-kit[.]ts$', '^transports/$1/'],
      },
    },
    {
      name: 'plugin-uses-its-door',
      comment: 'A plugin imports itself and lib/index.ts, as a plugin of a stranger does.',
      severity: 'error',
      from: { path: '^plugins/([^/]+)/' },
      to: {
        path: '^(lib|transports|plugins|examples|test|bench|scripts|build)/',
        pathNot: ['^lib/index[.]ts$', '^plugins/$1/'],
      },
    },
    {
      name: 'published-code-has-relative-imports',
      comment: 'Within the package a name such as lucilius/plugins/log may load a second, older copy.',
      severity: 'error',
      from: { path: published },
      to: { path: [doors.built, doors.named] },
    },
    {
      name: 'example-uses-published-names',
      comment: "An example imports its own files, Node's modules, and 'lucilius' or 'lucilius/…'.",
      severity: 'error',
      from: { path: '^examples/' },
      to: { pathNot: ['^examples/', doors.built, doors.named], dependencyTypesNot: ['core'] },
    },
    ...roomRules,
    {
      name: 'package-without-a-room',
      comment: 'Give the package a room in .dependency-cruiser.cjs, and list it under dependencies.',
      severity: 'error',
      from: { path: published },
      to: {
        dependencyTypes: ['npm', 'npm-dev', 'npm-optional', 'npm-peer', 'npm-no-pkg', 'npm-unknown', 'npm-bundled'],
        pathNot: Object.keys(rooms).map(packageOf),
      },
    },
    {
      name: 'package-at-run-time',
      comment:
        'What is published imports from dependencies and optional peers, never from what is only in devDependencies.',
      severity: 'error',
      from: { path: published },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], dependencyTypesNot: ['npm', 'npm-peer'] },
    },
    {
      name: 'standard-schema-is-types-only',
      comment: '@standard-schema/spec has nothing at run time: import type.',
      severity: 'error',
      from: {},
      to: { path: packageOf('@standard-schema/spec'), dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'no-cycle',
      comment: 'Two files that need each other are one idea, or three.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-orphan',
      comment: 'The file imports nothing and nothing imports it.',
      severity: 'error',
      from: { orphan: true, pathNot: [doors.source, '^examples/[^/]+[.]ts$', '^test/fixtures/', '[.]d[.]ts$'] },
      to: {},
    },
    {
      name: 'no-dead-import',
      comment: 'The import leads nowhere.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true, pathNot: [doors.named] },
    },
  ],
  options: {
    doNotFollow: { path: ['(^|/)node_modules/', '^build'] },
    exclude: { path: ['^test/types/bad'] },
    tsPreCompilationDeps: true, // a type import is an import
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'types', 'default'],
      mainFields: ['module', 'main', 'types'],
    },
  },
}
