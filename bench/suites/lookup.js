// A pattern index alone: look-up time by number of patterns, kind of patterns and width of the message; memory.

import { judge } from '../lib/goals.js'
import { inTurn } from '../lib/stage.js'
import { ratio, summary } from '../lib/statistics.js'
import { figure } from '../lib/table.js'

export const title = 'C. Look-up in a pattern index'
export const floor = 'map'
export const defaults = { rounds: 5, ms: 50 }
export const contenders = [floor, 'patrun', 'bloomrun', 'lucilius']
const TABLES = [
  ...[10, 100, 1000, 10_000, 100_000].flatMap((n) => [3, 10, 30].map((width) => table('pair', n, width))),
  ...[10, 100, 1000, 10_000].map((n) => table('keys', n, 10, `key names: ${n / 10}`)),
  ...[10, 1000, 100_000].map((n) => table('special', n, 10)),
  table('mix', 255, 10, 'mix with globs'),
  table('sets', 1023, 10, 'worst: every set of 10 keys'),
  table('globs', 1000, 10, 'worst: globs under one value'),
]

function table(kind, patterns, width, label = kind) {
  return { kind, patterns, width, label }
}

export async function run({ contenders, rounds, ms, stage, log }) {
  const kids = await stage.cast(contenders, 'index', ['--expose-gc'])
  const cells = []
  for (const { label, ...asked } of TABLES) {
    const cell = { label, ...asked, found: {} }
    for (let round = 0; round < rounds; round++) {
      for (const kid of inTurn(kids, round)) {
        cell.found[kid.spec.contender] ??= { ns: [] }
        const mine = cell.found[kid.spec.contender]
        if (mine.unfit) continue
        const { ns, sum, ...more } = await kid.ask({ do: 'lookup', ...asked, ms }, 180_000)
        Object.assign(mine, more)
        if (!more.unfit) mine.ns.push(ns)
      }
    }
    cells.push(cell)
    log(`${label}, ${asked.patterns} patterns, ${asked.width} properties`)
  }
  await Promise.all(kids.map((kid) => kid.stop()))
  const present = kids.map((kid) => kid.spec.contender)
  return { raw: cells, tables: [times(cells, present), cost(cells, present)], goals: goals(cells) }
}

const toFloor = (cell, id) => ratio(cell.found[id]?.ns ?? [], cell.found[floor]?.ns)

function times(cells, present) {
  const answer = (cell, id) => {
    const { ns, unfit } = cell.found[id]
    if (unfit) return unfit.startsWith('wrong') ? 'wrong match' : '–'
    const against = id === floor ? undefined : toFloor(cell, id)
    return figure(summary(ns).median) + (against ? ` (${figure(against.median)} ×)` : '')
  }
  return {
    caption: 'Nanoseconds a look-up, median (and how many times the floor)',
    head: ['table', 'patterns', 'properties', ...present],
    rows: cells.map((cell) => [cell.label, cell.patterns, cell.width, ...present.map((id) => answer(cell, id))]),
  }
}

function cost(cells, present) {
  const large = cells.filter((cell) => cell.patterns >= 10_000 && cell.width === 10)
  return {
    caption: 'Bytes a pattern and nanoseconds to add one',
    head: ['table', 'patterns', ...present],
    rows: large.map((cell) => [
      cell.label,
      cell.patterns,
      ...present.map((id) => `${figure(cell.found[id].bytes)} B, ${figure(cell.found[id].addNs)} ns`),
    ]),
  }
}

function goals(cells) {
  const ours = cells.filter((cell) => cell.found.lucilius && cell.found[floor]?.ns.length)
  return ours.map((cell) => {
    const { unfit } = cell.found.lucilius
    const what = `look-up, ${cell.label}, ${cell.patterns} patterns, ${cell.width} properties, × nested Map`
    if (unfit) return { verdict: 'missed', text: `goal missed: ${what}: ${unfit}` }
    return judge(what, { atMost: 6 }, { '': toFloor(cell, 'lucilius') })
  })
}
