// The currency system with each service in a process of its own. A second process for conversions joins and shares the
// load, the first one is killed, and no conversion fails. `http` as argument takes that instead of websocket.
import { randomBytes } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import { lucilius } from 'lucilius'
import { client } from '../client.js'
import { type Child, startChild } from './child.js'
import { isLineName, line, secret } from './line.js'

const [transport = 'websocket', ...more] = process.argv.slice(2)
if (!isLineName(transport) || more.length > 0) {
  console.error('Give one of websocket and http, or nothing.')
  process.exit(1)
}
// Every child gets these with the rest of the environment.
process.env['CURRENCY_TRANSPORT'] = transport
process.env['CURRENCY_SECRET'] = randomBytes(32).toString('base64url')

const children: Child[] = []
let ending = false
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void end(0))

// Many more ask than the one client whose answers are shown.
const crowd = lucilius({ name: 'crowd' })
let answers = 0
let failures = 0
crowd.use(client, { everyMs: 5, print: count })

say(`Each service has a process, and they talk ${transport}. The market is simulated. Ctrl-C ends all.`)
const rates = start('rates')
const ratesUrl = await rates.url
const first = start('convert', ratesUrl)
start('market', ratesUrl)
const firstUrl = await first.url
const shown = start('client', firstUrl)
await crowd.connect(line({ url: firstUrl }), { auth: secret() })
await crowd.ready()
await wait(3000)

const second = start('convert', ratesUrl)
const secondUrl = await second.url
shown.tell(secondUrl)
await crowd.connect(line({ url: secondUrl }), { auth: secret() })
say(`${second.name} has joined`)
await wait(3000)

const before = answers
first.kill()
say(`${first.name} is killed`)
await wait(3000)
say(`${answers - before} conversions since then, ${answers} in all, ${failures} failed`)

/** Starts a service's process; those of the same service are numbered. */
function start(service: string, ...addresses: string[]): Child {
  const number = children.filter(({ name }) => name.startsWith(service)).length + 1
  const name = service === 'convert' ? `${service}-${number}` : service
  const child = startChild(name, `./${service}.js`, addresses, (text) => say(text, name))
  children.push(child)
  void child.ended.then((asked) => {
    if (asked || ending) return
    say(`${name} has ended unasked`)
    void end(1)
  })
  return child
}

/** Those who ask end before those who answer. */
async function end(code: number): Promise<void> {
  if (ending) return
  ending = true
  await crowd.close()
  for (const child of children.reverse()) await child.end()
  process.exit(code)
}

function say(text: string, name = 'main'): void {
  if (!ending) console.log(`${name.padEnd(9)} | ${text}`)
}

function count(text: string): void {
  if (text.startsWith('no answer')) {
    failures++
    say(text, 'crowd')
  } else answers += 3
}
