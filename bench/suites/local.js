// Every contender in a process of its own, slices in rotation, one call at a time and 64 in flight.

import { judge } from '../lib/goals.js'
import { inTurn } from '../lib/stage.js'
import { ratio, summary } from '../lib/statistics.js'
import { figure, spread } from '../lib/table.js'

export const title = 'A. Request and reply in one process'
export const floor = 'node'
export const defaults = { rounds: 11, ms: 150 }
export const contenders = [
  floor,
  'map',
  'patrun@10',
  'moleculer',
  'moleculer#min',
  'seneca',
  'seneca#lean',
  'lucilius#string',
  'lucilius#whole',
  'lucilius#strict',
  'lucilius#strict-string',
]
const FLIGHTS = { 1: 'one at a time', 64: 'with 64 in flight' }

export async function run({ contenders, rounds, ms, stage, log }) {
  const kids = await stage.cast(contenders, 'local')
  const raw = Object.fromEntries(kids.map((kid) => [kid.spec.contender, { 1: [], 64: [] }]))
  const load = (kid, inFlight, time) => kid.ask({ do: 'load', inFlight: Number(inFlight), ms: time })
  for (const kid of kids) for (const inFlight in FLIGHTS) await load(kid, inFlight, 400) // warm-up
  for (let round = 0; round < rounds; round++) {
    for (const kid of inTurn(kids, round)) {
      for (const inFlight in FLIGHTS) raw[kid.spec.contender][inFlight].push((await load(kid, inFlight, ms)).rate)
    }
    log(`round ${round + 1}/${rounds}`)
  }
  await Promise.all(kids.map((kid) => kid.stop()))
  return { raw, tables: [rates(raw), ...ratios(raw)], goals: goals(raw) }
}

function rates(raw) {
  const rows = Object.entries(raw).map(([contender, mine]) => {
    const cells = Object.keys(FLIGHTS).flatMap((inFlight) => {
      const { median, iqr } = summary(mine[inFlight])
      return [spread({ median, iqr }), figure(1e9 / median), spread(ratio(mine[inFlight], raw[floor]?.[inFlight]))]
    })
    return [contender, ...cells]
  })
  const head = ['contender', ...Object.values(FLIGHTS).flatMap((flight) => [`calls/s ${flight}`, 'ns/call', '× floor'])]
  return { caption: 'Median (interquartile range)', head, rows }
}

// each form of lucilius against each of the others, as a table per flight
function ratios(raw) {
  const ours = Object.keys(raw).filter(isOurs)
  if (!ours.length) return []
  const others = Object.keys(raw).filter((id) => !isOurs(id))
  return Object.entries(FLIGHTS).map(([inFlight, flight]) => ({
    caption: `Ratio of the row to the column, ${flight}: median (interquartile range) of the rounds`,
    head: ['', ...others],
    rows: ours.map((id) => [id, ...others.map((other) => spread(ratio(raw[id][inFlight], raw[other][inFlight])))]),
  }))
}

function goals(raw) {
  const each = (measure) => Object.fromEntries(Object.entries(FLIGHTS).map(([n, flight]) => [flight, measure(n)]))
  const off = ['lucilius#string', 'lucilius#whole'].filter((id) => raw[id])
  const strict = ['lucilius#strict', 'lucilius#strict-string'].filter((id) => raw[id])
  const against = (peer, atLeast) => {
    if (!raw[peer]) return []
    return off.map((id) =>
      judge(
        `${id} / ${peer}`,
        { atLeast },
        each((n) => ratio(raw[id][n], raw[peer][n])),
      ),
    )
  }
  return [
    ...against('moleculer#min', 1),
    ...against('moleculer', 1.3),
    ...against('seneca', 100),
    ...strict.map((id) =>
      judge(
        id,
        { atLeast: 1e6, unit: ' calls/s' },
        each((n) => summary(raw[id][n])),
      ),
    ),
  ]
}

const isOurs = (id) => id.startsWith('lucilius')
