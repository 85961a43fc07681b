/**
 * Measures how soon processes find each other where nobody has an address: those of the currency system's deployment `lan`.
 *
 * `npm run bench:lan -- --rounds 5` starts four of them in random order, then a fifth that shares the work, and kills one
 * after the other under a hundred conversions a second. Prints the median and the range of each time, in milliseconds, and
 * how many conversions failed. All datagrams stay on 127.0.0.1.
 */
import { spawn } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { findControl } from '../build/lib/system/control/index.js'

const root = fileURLToPath(new URL('..', import.meta.url))
const { values } = parseArgs({ options: { rounds: { type: 'string', default: '5' } } })
const rounds = Number(values.rounds)
if (!(Number.isSafeInteger(rounds) && rounds > 0)) throw new Error('--rounds is a whole number of at least 1.')

const config = join(root, 'build/test/examples/counted.config.js')
const folder = mkdtempSync(join(tmpdir(), 'lucilius-lan-'))
const running = new Set()
const times = {
  'the last of four listens to first conversion': [],
  'the last of four is typed to first conversion': [],
  'a fifth listens to its first answer': [],
  'kill to next answer, longest of three kills': [],
}
let conversions = 0
const failures = []
try {
  for (let round = 0; round < rounds; round++) await measure(await freePort(), round)
} finally {
  for (const { child } of running) child.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
}
console.log(`Node.js ${process.version}, ${rounds} rounds, ms: median (least to most)`)
for (const [what, all] of Object.entries(times)) {
  const sorted = all.sort((a, b) => a - b).map(Math.round)
  console.log(`${what.padEnd(46)} ${sorted[sorted.length >> 1]} (${sorted[0]} to ${sorted.at(-1)})`)
}
console.log(`conversions under kills: ${conversions}, failed: ${failures.length}`)
for (const failure of new Set(failures)) console.log(`  ${failure}`)
process.exitCode = failures.length === 0 ? 0 : 1

async function measure(port, round) {
  const [talk, typed, joined, gap] = Object.values(times)
  const four = {}
  const groups = ['rates', 'convert', 'market', 'client'].sort(() => Math.random() - 0.5)
  let began = 0
  for (const group of groups) {
    await wait(Math.random() * 300)
    began = performance.now()
    four[group] = start(group, port, `${round}-${group}`)
  }
  const said = await four.client.says(/^100 usd = /m)
  const listening = await Promise.all(Object.values(four).map((one) => one.says(/"msg":"listening"/)))
  talk.push(Math.max(0, said - Math.max(...listening)))
  typed.push(said - began)
  await four.convert.says(/^answered \d/m)

  const control = await findControl(dirname(config), four.client.runDir)
  const load = underLoad(control)
  const fifth = start('convert', port, `${round}-fifth`)
  const shares = await fifth.says(/^answered \d/m)
  joined.push(shares - (await fifth.says(/"msg":"listening"/)))

  const gaps = []
  for (const one of [four.convert, four.market, four.rates]) {
    load.reset()
    one.child.kill('SIGKILL')
    await one.ended
    await wait(1000)
    gaps.push(load.longestGap())
  }
  gap.push(Math.max(...gaps))
  await load.stop()
  control.close()
  for (const one of [four.client, fifth]) one.child.kill('SIGTERM')
  await Promise.all([four.client.ended, fifth.ended])
}

function start(group, port, name) {
  const runDir = join(folder, name)
  const env = {
    ...process.env,
    LUCILIUS_RUN_DIR: runDir,
    LUCILIUS_SECRET: 'a-secret-of-a-measurement',
    LUCILIUS_MULTICAST: `239.255.76.85:${port}`,
  }
  const args = [join(root, 'build/lib/cli/main.js'), 'start', 'lan', '--group', group, '--config', config]
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'inherit'] })
  const started = { child, runDir, ended: once(child, 'exit') }
  running.add(started)
  started.ended.then(() => running.delete(started))
  let printed = ''
  /** When each chunk had come, by the length of all before and with it. */
  const moments = []
  child.stdout.on('data', (data) => {
    printed += data
    moments.push([printed.length, performance.now()])
  })
  /** Resolves with the moment at which it was printed. */
  started.says = async (pattern) => {
    const end = performance.now() + 30_000
    for (;;) {
      const match = pattern.exec(printed)
      if (match !== null) return moments.find(([length]) => length > match.index)[1]
      if (performance.now() > end) throw new Error(`${group} did not print ${pattern}: ${printed}`)
      await wait(5)
    }
  }
  return started
}

/** Asks for a hundred conversions a second. */
function underLoad(control) {
  const open = new Set()
  let last = performance.now()
  let longest = 0
  const ask = async () => {
    try {
      await control.act('role:convert,cmd:amount,from:usd,to:jpy,amount:100')
      const now = performance.now()
      longest = Math.max(longest, now - last)
      last = now
      conversions++
    } catch (error) {
      failures.push(String(error))
    }
  }
  const timer = setInterval(() => {
    const call = ask().finally(() => open.delete(call))
    open.add(call)
  }, 10)
  return {
    reset: () => {
      longest = 0
      last = performance.now()
    },
    longestGap: () => Math.max(longest, performance.now() - last),
    stop: async () => {
      clearInterval(timer)
      await Promise.all(open)
    },
  }
}

/** A UDP port that nobody has. */
async function freePort() {
  const socket = createSocket('udp4').bind(0, '127.0.0.1')
  await once(socket, 'listening')
  const { port } = socket.address()
  socket.close()
  return port
}
