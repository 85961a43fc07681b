/**
 * Measures how soon `lucilius dev` answers: after its start, after an edit of a service, after an edit of the description.
 *
 * `npm run bench:dev -- --rounds 5` runs the currency system in a copy, asks it over HTTP and prints the median and the
 * range of each, in milliseconds.
 */
import { spawn } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const root = fileURLToPath(new URL('..', import.meta.url))
const { values } = parseArgs({ options: { rounds: { type: 'string', default: '5' } } })
const rounds = Number(values.rounds)
if (!(Number.isSafeInteger(rounds) && rounds > 0)) throw new Error('--rounds is a whole number of at least 1.')

// Below the root of the package, so that its files find `lucilius` by its name.
const folder = mkdtempSync(join(root, 'build/dev-speed-'))
cpSync(join(root, 'examples/currency'), folder, { recursive: true })
const times = {
  'start to first reply': [],
  'edit of a service to its answer': [],
  'edit of the description to a reply': [],
}
try {
  for (let round = 1; round <= rounds; round++) await measure(round)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
console.log(`Node.js ${process.version}, ${rounds} rounds, ms: median (least to most)`)
for (const [what, all] of Object.entries(times)) {
  const sorted = all.sort((a, b) => a - b).map(Math.round)
  console.log(`${what.padEnd(36)} ${sorted[sorted.length >> 1]} (${sorted[0]} to ${sorted.at(-1)})`)
}

async function measure(round) {
  const [start, edit, description] = Object.values(times)
  const began = performance.now()
  const main = join(root, 'build/lib/cli/main.js')
  const child = spawn(process.execPath, [main, 'dev'], { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = new Promise((resolve) => child.on('exit', resolve))
  let printed = ''
  child.stdout.on('data', (data) => {
    printed += data
  })
  try {
    const url = await until(() => /http at (http:\S+)/.exec(printed)?.[1], 'a door')
    await until(() => replyOf(url), 'a reply')
    start.push(performance.now() - began)

    edit.push(
      await edited(
        'convert.ts',
        'currency: to, rate }',
        `currency: to, rate, round: ${round} }`,
        url,
        (reply) => reply.round === round,
      ),
    )

    printed = ''
    const changed = (reply) => /ready after/.test(printed) && reply.currency === 'eur'
    description.push(await edited('lucilius.config.ts', 'everyMs: 400', `everyMs: ${400 + round}`, url, changed))
  } finally {
    child.kill('SIGINT')
    await ended
    cpSync(join(root, 'examples/currency'), folder, { recursive: true })
  }
}

/** Milliseconds from the saving of a file to a reply that shows it. */
async function edited(file, old, text, url, shows) {
  const path = join(folder, file)
  const source = readFileSync(path, 'utf8')
  if (!source.includes(old)) throw new Error(`${file} has no longer: ${old}`)
  const began = performance.now()
  writeFileSync(path, source.replace(old, text))
  await until(async () => shows((await replyOf(url)) ?? {}), `the new ${file}`)
  return performance.now() - began
}

/** The reply to a conversion; undefined while nobody answers. */
async function replyOf(url) {
  const body = JSON.stringify({ role: 'convert', cmd: 'amount', from: 'usd', to: 'eur', amount: 100 })
  const asked = fetch(`${url}/act`, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
  return asked.then((answer) => answer.json()).catch(() => undefined)
}

async function until(look, what) {
  for (const end = performance.now() + 30_000; performance.now() < end; await wait(5)) {
    const found = await look()
    if (found) return found
  }
  throw new Error(`${what} did not come within 30 s`)
}
