// The currency system with each service in a process of its own. A second process for conversions joins and shares the
// load, the first one is killed, and no conversion fails. With `http` as argument they talk that instead of websocket.
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
process.env.CURRENCY_TRANSPORT = transport
process.env.CURRENCY_SECRET = randomBytes(32).toString('base64url')

const children: Child[] = []
let ending = false
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void end(0))

// Many more ask than the one client whose answers are shown.
const crowd = lucilius({ name: 'crowd' })
let answers = 0
let failures = 0
crowd.use(client, { everyMs: 5, print: count })

try {
  await show()
} catch (error) {
  say(String(error))
  void end(1)
}

async function show(): Promise<void> {
  say(`Each service has a process, and they talk ${transport}. The market is simulated. Ctrl-C ends all.`)
  const rates = await start('rates').url
  start('market', rates)
  const first = start('convert', rates)
  const shown = start('client', await first.url)
  await ask(await first.url)
  await crowd.ready()
  await wait(2500)

  const second = start('convert', rates)
  shown.tell(await second.url)
  await ask(await second.url)
  say(`${second.name} has joined`)
  await wait(2500)

  const before = answers
  first.kill()
  say(`${first.name} is killed`)
  await wait(2500)
  say(`${answers - before} conversions since then, ${answers} in all, ${failures} failed`)
}

/** Starts the process of a service. Those that convert are several, and numbered. */
function start(service: string, ...addresses: string[]): Child {
  const number = children.filter((child) => child.service === service).length + 1
  const name = service === 'convert' ? `${service}-${number}` : service
  const child = startChild(service, name, addresses, (text) => say(text, name))
  children.push(child)
  void child.ended.then((asked) => {
    if (asked || ending) return
    say(`${name} has ended unasked`)
    void end(1)
  })
  return child
}

async function ask(url: string): Promise<void> {
  await crowd.connect(line({ url }), { auth: secret() })
}

/** Those who ask end before those who answer. */
async function end(code: number): Promise<void> {
  if (ending) return
  ending = true
  await crowd.close()
  for (const service of ['client', 'market', 'convert', 'rates']) {
    await Promise.all(children.filter((child) => child.service === service).map((child) => child.end()))
  }
  process.exit(code)
}

function say(text: string, name = 'main'): void {
  if (!ending) console.log(`${name.padEnd(9)} | ${text}`)
}

function count(text: string): void {
  if (text.startsWith('no answer')) {
    failures++
    say(text, 'crowd')
  } else answers += text.split('=').length - 1
}
