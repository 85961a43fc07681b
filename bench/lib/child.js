// The child's end: hosts one role of one contender and obeys the runner.

import { setTimeout as sleep } from 'node:timers/promises'
import { load, parse } from './contender.js'
import { loadCounted, loadLocal, loadRemote } from './load.js'
import { verify, wholeMessage } from './work.js'

const spec = JSON.parse(process.argv[2])
const { adapter: name, ...more } = parse(spec.contender)
const options = { ...spec, ...more }
const say = (answer) => process.send?.(answer)
const commands = {}

process.on('disconnect', () => process.exit(0))
process.on('message', async (command) => {
  try {
    await commands[command.do](command)
  } catch (error) {
    say({ error: error?.stack ?? String(error) })
  }
})

const roles = {
  async local(adapter) {
    const contender = await adapter.local(options)
    await firstReply(contender)
    commands.load = async ({ inFlight, ms }) => say(await loadLocal(contender, inFlight, ms))
    commands.heap = async ({ calls }) => {
      await loadCounted(contender, calls)
      await sleep(200) // longer than a turn of a coarse timer
      global.gc()
      global.gc()
      say({ heap: process.memoryUsage().heapUsed })
    }
  },

  // all in one process, to the first reply
  async startup(adapter) {
    if (!adapter.local) await adapter.server(options)
    await firstReply(await (adapter.local ?? adapter.client)(options))
    return { rss: process.memoryUsage.rss() }
  },

  async index(adapter) {
    const { indexCommands } = await import('./index-commands.js')
    Object.assign(commands, indexCommands(adapter, options, say))
  },

  async server(adapter) {
    await adapter.server(options)
  },

  async client(adapter) {
    const contender = await adapter.client(options)
    await firstReply(contender)
    commands.load = async ({ inFlight, ms }) => say(await loadRemote(contender, inFlight, ms))
    commands.outage = async (settings) => {
      const { watchOutage } = await import('./outage.js')
      const uncaught = new Set()
      process.on('uncaughtException', (error) => uncaught.add(error.message))
      process.on('unhandledRejection', (error) => uncaught.add(error?.message ?? String(error)))
      const outage = watchOutage(contender, settings)
      commands.kill = () => {
        outage.kill()
        say({ done: true })
      }
      commands.finish = async (times) => say({ ...(await outage.finish(times)), uncaught: [...uncaught] })
      say({ started: true })
    }
  },

  async subscriber(adapter) {
    let got = 0
    let expected = Number.POSITIVE_INFINITY
    const onMessage = (message) => {
      if (message.rate !== 0.91) throw new Error('wrong broadcast')
      got++
      if (got === expected) say({ done: got })
    }
    for (let i = 0; i < spec.count; i++) await adapter.subscriber({ ...options, nr: spec.base + i }, onMessage)
    commands.expect = ({ messages }) => {
      got = 0
      expected = messages * spec.count
      say({ done: true })
    }
  },

  async publisher(adapter) {
    const { publish, drain } = await adapter.publisher(options)
    commands.publish = async ({ messages }) => {
      for (let i = 0; i < messages; ) {
        const some = []
        for (let k = 0; k < 32 && i < messages; k++, i++) {
          some.push(publish({ rate: 0.91, from: 'usd', to: 'eur', amount: i }))
        }
        await Promise.all(some)
        await drain?.()
        await new Promise(setImmediate)
      }
      say({ done: messages })
    }
  },
}

// The first verified reply, tried for 15 s: discovery may take a while.
async function firstReply({ call, make = wholeMessage }) {
  const end = Date.now() + 15_000
  for (let i = 0; ; i++) {
    const message = make(i)
    try {
      return verify(message, await within(3000, call(message)))
    } catch (error) {
      if (Date.now() > end) throw error
      await sleep(20)
    }
  }
}

async function within(ms, promise) {
  let timer
  const late = new Promise((_, reject) => {
    timer = setTimeout(reject, ms, new Error(`no reply in ${ms} ms`))
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

try {
  const hello = await roles[spec.role](await load(name))
  say(hello ?? { ready: true })
} catch (error) {
  say({ error: error?.stack ?? String(error) })
}
