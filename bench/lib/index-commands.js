// The look-up suite in the child: builds a pattern index and finds messages in it.

import { questions, tables } from './pattern-tables.js'

/** The commands of a child that hosts a pattern index, `adapter.index(options)` → `{ add, find }`. */
export function indexCommands(adapter, options, say) {
  let built = {}

  async function build({ kind, patterns }) {
    const key = kind + patterns
    if (built.key === key) return built
    built = {}
    const before = heapUsed()
    const from = performance.now()
    const index = await adapter.index({ ...options, globs: tables[kind].globs ?? false })
    for (let i = 0; i < patterns; i++) index.add(tables[kind].pattern(i), { nr: i })
    index.find(tables[kind].pattern(0)) // what is compiled at the first look-up counts as adding
    const addNs = ((performance.now() - from) * 1e6) / patterns
    built = { key, index, addNs, bytes: (heapUsed() - before) / patterns }
    return built
  }

  return {
    async lookup({ ms, ...table }) {
      if (adapter.tables && !adapter.tables.includes(table.kind)) return say({ unfit: 'not made for this table' })
      const { index, addNs, bytes } = await build(table)
      const asked = questions(table)
      for (const { message, want } of asked.slice(0, 256)) {
        const got = index.find(message)?.nr
        if (got !== want) return say({ unfit: `wrong match: ${JSON.stringify(message)} found ${got}, not ${want}` })
      }
      let ops = 0
      let sum = 0 // keeps the look-ups from being optimised away
      const from = performance.now()
      do {
        for (let k = 0; k < 64; k++) sum += index.find(asked[(ops + k) & 1023].message).nr
        ops += 64
      } while (performance.now() < from + ms)
      say({ ns: ((performance.now() - from) * 1e6) / ops, sum, addNs, bytes })
    },
  }
}

function heapUsed() {
  global.gc()
  global.gc()
  return process.memoryUsage().heapUsed
}
