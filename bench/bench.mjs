#!/usr/bin/env node
// npm run bench -- COMMAND [--only …] [--rounds N] [--ms N] [--out FILE] [--list]: see README.md.

import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, totalmem } from 'node:os'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { choose } from './lib/contender.js'
import { killAll } from './lib/processes.js'
import { createStage } from './lib/stage.js'
import { markdown } from './lib/table.js'

const COMMANDS = {
  local: { A: 'local' },
  remote: { B: 'requests', E: 'broadcast', F: 'restart' },
  brokers: { N: 'nats-requests', J: 'nats-durable', R: 'amqp-requests', Q: 'amqp-durable' },
  lookup: { C: 'lookup' },
  startup: { D: 'startup' },
  memory: { M: 'memory' },
}
const here = (path) => fileURLToPath(new URL(path, import.meta.url))
const log = (line) => process.stderr.write(`  ${line}\n`)

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    only: { type: 'string', default: '' },
    rounds: { type: 'string' },
    ms: { type: 'string' },
    out: { type: 'string' },
    list: { type: 'boolean', default: false },
  },
})
const [command] = positionals

if (command === 'types')
  process.exit(spawnSync(process.execPath, [here('types.mjs')], { stdio: 'inherit' }).status ?? 1)
if (!Object.hasOwn(COMMANDS, command ?? '')) {
  refuse(`Name one of: ${Object.keys(COMMANDS).join(', ')}, types. For example: npm run bench -- local`)
}
if (!existsSync(here('node_modules'))) refuse('The peers are not installed. Run: npm ci --prefix bench')
for (const name of ['rounds', 'ms']) {
  if (flags[name] !== undefined && !(Number(flags[name]) > 0)) refuse(`--${name} needs a number above 0.`)
}

const plan = []
for (const [letter, name] of Object.entries(COMMANDS[command])) {
  const suite = await import(`./suites/${name}.js`)
  const contenders = choose(letter, suite, flags.only, Object.keys(COMMANDS[command]))
  if (contenders) plan.push({ letter, suite, contenders })
}
if (flags.list) {
  for (const { letter, contenders } of plan) console.log(letter, contenders.join(' '))
  process.exit(0)
}
const withLucilius = plan.some(({ contenders }) => contenders.some((id) => id.startsWith('lucilius')))
if (withLucilius && !existsSync(here('../build/lib'))) refuse('lucilius is not built. Run: npm run build')

const started = new Date().toISOString()
const file = flags.out ?? here(`results/${command}-${started.slice(0, 19).replace(/[:T]/g, '-')}.json`)
const machine = {
  node: process.version,
  cpu: cpus()[0]?.model,
  cores: cpus().length,
  memGiB: Math.round(totalmem() / 2 ** 30),
}
const results = { when: started, machine, command, flags, suites: {}, failures: [] }
console.log(`${started}, Node ${machine.node}, ${machine.cores} × ${machine.cpu}, ${machine.memGiB} GiB`)

for (const { letter, suite, contenders } of plan) {
  process.stderr.write(`${suite.title}\n`)
  const rounds = Number(flags.rounds ?? suite.defaults.rounds)
  const ms = Number(flags.ms ?? suite.defaults.ms)
  const loadBefore = loadavg()[0]
  const stage = createStage((failure) => {
    results.failures.push({ suite: letter, ...failure })
    log(`left out: ${failure.contender} ${failure.role}: ${failure.error}`)
  })
  try {
    const outcome = await suite.run({ contenders, rounds, ms, stage, log })
    results.suites[letter] = { title: suite.title, rounds, ms, loadBefore, ...outcome }
    console.log(`\n## ${suite.title}\n\nRounds: ${rounds}`)
    for (const table of outcome.tables) console.log(`\n${markdown(table)}`)
    if (outcome.goals.length) console.log(`\n${outcome.goals.map((goal) => goal.text).join('\n')}`)
  } catch (error) {
    results.failures.push({ suite: letter, error: error.stack })
    log(`suite given up: ${error.message}`)
    killAll()
  }
  await stage.close()
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, JSON.stringify(results, null, 1))
}
console.log()
for (const { suite, contender = '', role = '', error } of results.failures) {
  console.log(`failed: ${suite} ${contender} ${role} ${error}`)
}
console.log(`every round: ${file}`)
process.exit(results.failures.length ? 1 : 0)

function refuse(why) {
  console.error(why)
  process.exit(2)
}
