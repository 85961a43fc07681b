// What stays in the heap after a million calls, garbage collected before and after.

import { judge } from '../lib/goals.js'
import { difference } from '../lib/statistics.js'
import { figure, spread } from '../lib/table.js'

export const title = 'M. Heap after a million calls'
export const floor = 'node'
export const defaults = { rounds: 3, ms: 1 }
export const contenders = [floor, 'lucilius#string', 'lucilius#whole', 'lucilius#strict', 'lucilius#strict-string']
const CALLS = 1_000_000
const MIB = 2 ** 20

export async function run({ contenders, rounds, stage, log }) {
  const kids = await stage.cast(contenders, 'local', ['--expose-gc'])
  const heap = async (kid, calls) => (await kid.ask({ do: 'heap', calls }, 300_000)).heap / MIB
  const raw = {}
  for (const kid of kids) raw[kid.spec.contender] = [await heap(kid, CALLS / 10)] // after the warm-up
  for (let round = 0; round < rounds; round++) {
    for (const kid of kids) raw[kid.spec.contender].push(await heap(kid, CALLS))
    log(`million ${round + 1}/${rounds}`)
  }
  await Promise.all(kids.map((kid) => kid.stop()))

  const growth = (id) => difference(raw[id].slice(1), raw[id].slice(0, -1))
  const rows = Object.keys(raw).map((id) => [
    id,
    figure(raw[id][0]),
    figure(raw[id].at(-1)),
    spread(growth(id)),
    figure((growth(id).median * MIB) / CALLS),
  ])
  const head = ['contender', 'MiB before', `MiB after ${rounds} million`, 'MiB more a million', 'bytes more a call']
  // Half a byte a call: code that gets optimised moves the heap a little, anything kept per call takes 8 bytes or more.
  const goals = Object.keys(raw)
    .filter((id) => id.startsWith('lucilius'))
    .map((id) => judge(`${id}, heap over a million calls`, { atMost: 0.5, unit: ' MiB more' }, { '': growth(id) }))
  return { raw, tables: [{ caption: 'Heap in use', head, rows }], goals }
}
