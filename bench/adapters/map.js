// The floor of routing: nested Maps over keys known beforehand, the most specific first. No pattern semantics.
import { routed } from '../lib/work.js'

// The tables' patterns have the keys role+cmd, role+cmd+region or another+cmd; a glob is role+cmd with 'prefix*'.
function createIndex() {
  const roles = new Map()
  const others = new Map()
  const prefixes = new Map()

  return {
    add(pattern, data) {
      const { role, cmd, region } = pattern
      if (role === undefined) inner(inner(others, otherKey(pattern)), cmd).set(pattern[otherKey(pattern)], data)
      else if (cmd.endsWith('*')) inner(prefixes, role).set(cmd.slice(0, -1), data)
      else inner(inner(roles, role), cmd).set(region, data)
    },
    find(message) {
      if (message.role === undefined) {
        const key = otherKey(message)
        return others.get(key)?.get(message.cmd)?.get(message[key])
      }
      const regions = roles.get(message.role)?.get(message.cmd)
      if (regions) return regions.get(message.region) ?? regions.get(undefined)
      for (const [prefix, data] of prefixes.get(message.role) ?? []) if (message.cmd.startsWith(prefix)) return data
      return undefined
    },
  }
}

function inner(map, key) {
  const found = map.get(key)
  if (found) return found
  const made = new Map()
  map.set(key, made)
  return made
}

function otherKey(object) {
  for (const key in object) if (key !== 'cmd' && !key.startsWith('data')) return key
  return undefined
}

export const adapter = {
  tables: ['pair', 'keys', 'special', 'mix'],
  index: createIndex,
  local: ({ patterns }) => routed(createIndex(), patterns),
}
