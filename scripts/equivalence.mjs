/**
 * Runs the conformance suite over everything that it knows, and writes what came of it into docs/equivalence.md.
 *
 * A case passes if it does in strict parity and with parity off. Exits with 1 if one fails; the page says which.
 */
import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Parser } from 'tap-parser'

const root = fileURLToPath(new URL('..', import.meta.url))

/** The columns of the table: what the suite runs in, and the program that runs it. */
const stages = [
  ['one app', 'conformance/local'],
  ['in-process', 'conformance/in-process'],
  ['HTTP', 'conformance/http'],
  ['WebSocket', 'conformance/websocket'],
  ['NATS', 'conformance/nats'],
  ['RabbitMQ', 'conformance/amqp'],
  ['message port', 'examples/message-port-conformance'],
]

/** The groups of the suite, what they are about. */
const groups = {
  replies: 'Messages and replies',
  routing: 'Which action answers',
  priors: 'Priors',
  wraps: 'Wraps',
  failures: 'Errors',
  deadlines: 'Deadlines, cancellation, hops',
  metas: 'What travels beside a message',
  events: 'Events',
  life: 'Coming, going and being lost',
  exposure: 'What is let in',
}

const intro = `# Equivalence

<!-- Written by \`npm run equivalence\` from a run of the suite: change the suite or the script, not this page. -->

Moving a service to another process changes no reply, no error and no route: [the promise](splitting.md#the-promise-and-where-it-ends). This page shows it. One suite, [test/conformance](../test/conformance), is written once and played by one app that does everything, and by several apps over each transport, [one that is only an example](write-a-transport.md) included, with the same expectations.`

const reading = `✓: passed in [strict parity](parity.md) and with parity off; over RabbitMQ in strict parity. –: needs a second app, so one app cannot play it. Every title says what holds.

Beside these cases, \`test/conformance/placement.test.ts\` makes up systems of services, with special cases, globs, priors, nested acts, errors and events, places them at random over one to four apps in-process, over HTTP and over WebSocket, and compares each reply, each error and each count of events with those of one app. \`npm run test:faults\` looks at what a network and a \`kill -9\` add: that no call is lost, hangs, is done twice or gets a wrong reply.`

const columns = []
for (const [name, file] of stages) columns.push({ name, cases: await run(`build/test/${file}.test.js`) })
const page = write(columns)
writeFileSync(join(root, 'docs/equivalence.md'), page)
const failed = page.match(/✗/g)?.length ?? 0
console.log(`${columns.map(({ name, cases }) => `${name}: ${cases.size} cases`).join(', ')}; ${failed} failed`)
process.exitCode = failed > 0 ? 1 : 0

/** What a program of the suite says: for each case, `group > title`, whether it passes in all settings. */
async function run(file) {
  const cases = new Map()
  const parser = new Parser()
  parser.on('child', (child) => {
    const group = child.name.split(': ').at(-1)
    child.on('assert', ({ name, ok }) => {
      const key = `${group} > ${name}`
      cases.set(key, ok && (cases.get(key) ?? true))
    })
  })
  const child = spawn(process.execPath, [file], { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] })
  child.stdout.pipe(parser)
  const code = await new Promise((done) => child.on('close', done))
  if (cases.size === 0) throw new Error(`${file} told of no case and exited with ${code}.`)
  return cases
}

function write(columns) {
  const all = [...new Set(columns.flatMap(({ cases }) => [...cases.keys()]))]
  const marks = (key) => columns.map(({ cases }) => (cases.has(key) ? (cases.get(key) ? '✓' : '✗') : '–'))
  const sections = Object.keys(groups).map((group) => {
    const rows = all.filter((key) => key.startsWith(`${group} > `))
    const table = rows.map((key) => row([key.slice(`${group} > `.length), ...marks(key)]))
    return [`## ${group}`, `${groups[group]}: ${rows.length} cases.`, [header('case'), ...table].join('\n')].join(
      '\n\n',
    )
  })
  const total = row(['cases', ...columns.map(({ cases }) => cases.size)])
  const passed = row(['passed', ...columns.map(({ cases }) => [...cases.values()].filter(Boolean).length)])
  return `${[intro, [header(''), total, passed].join('\n'), reading, ...sections].join('\n\n')}\n`
}

function header(first) {
  return `${row([first, ...columns.map(({ name }) => name)])}\n${row(['---', ...columns.map(() => ':-:')])}`
}

function row(cells) {
  return `| ${cells.join(' | ')} |`
}
