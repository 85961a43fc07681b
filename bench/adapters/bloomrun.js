import bloomrun from 'bloomrun'
import { routed } from '../lib/work.js'

// depth: the most specific pattern wins
function createIndex() {
  const index = bloomrun({ indexing: 'depth' })
  return { add: (pattern, data) => index.add(pattern, data), find: (message) => index.lookup(message) }
}

export const adapter = {
  tables: ['pair', 'keys', 'special', 'sets'], // regular expressions, no globs
  index: createIndex,
  local: ({ patterns }) => routed(createIndex(), patterns),
}
