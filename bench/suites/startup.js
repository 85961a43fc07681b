// From fork to the first verified reply, all in one process, and the memory it then holds; the floor is bare Node.

import { judge } from '../lib/goals.js'
import { inTurn } from '../lib/stage.js'
import { difference, summary } from '../lib/statistics.js'
import { spread } from '../lib/table.js'

export const title = 'D. Start-up to the first reply'
export const floor = 'node'
export const defaults = { rounds: 15, ms: 1 }
export const contenders = [floor, 'lucilius#string', 'lucilius#whole']

export async function run({ contenders, rounds, stage, log }) {
  const raw = Object.fromEntries(contenders.map((id) => [id, { ms: [], rssMiB: [] }]))
  // the first round fills the disk cache and is not counted
  for (let round = 0; round <= rounds; round++) {
    for (const contender of inTurn(contenders, round)) {
      const at = await stage.placed(contender)
      const kid = at && (await stage.start({ role: 'startup', contender, ...at }))
      if (!kid) throw new Error(`${contender} does not start`)
      const ms = kid.readyAt - kid.startedAt
      await kid.stop()
      if (round === 0) continue
      raw[contender].ms.push(ms)
      raw[contender].rssMiB.push(kid.hello.rss / 2 ** 20)
    }
    log(`round ${round}/${rounds}`)
  }
  const more = (id, what) => difference(raw[id][what], raw[floor][what])
  const rows = contenders.map((id) => [
    id,
    ...['ms', 'rssMiB'].flatMap((what) => [spread(summary(raw[id][what])), id === floor ? '' : spread(more(id, what))]),
  ])
  const head = ['contender', 'first reply ms', 'more than the floor', 'RSS MiB', 'more than the floor']
  const goals = contenders
    .filter((id) => id.startsWith('lucilius'))
    .flatMap((id) => [
      judge(`${id}, first reply after bare Node`, { atMost: 70, unit: ' ms' }, { '': more(id, 'ms') }),
      judge(`${id}, RSS above bare Node`, { atMost: 16, unit: ' MiB' }, { '': more(id, 'rssMiB') }),
    ])
  return { raw, tables: [{ caption: 'Median (interquartile range)', head, rows }], goals }
}
