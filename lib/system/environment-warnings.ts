import { nearest } from '../nearest.js'
import { environmentTable } from './environment-table.js'
import { isPeersVariable, peersVariable } from './peers-variable.js'
import type { Variables } from './secret.js'

/** What all of them begin with: it makes no two names alike. */
const PREFIX = 'LUCILIUS_'

const names = environmentTable.map(({ name }) => name)

/** A line for each variable that is called as if it were read, and is not: without `groups` any group may be named. */
export function oddVariables(variables: Variables, groups: Iterable<string> | undefined): readonly string[] {
  const peers = groups === undefined ? undefined : [...groups].map(peersVariable)
  const known = [...names.filter((name) => !name.endsWith('<GROUP>')), ...(peers ?? [])]
  const odd = Object.keys(variables).filter(
    (name) => name.startsWith(PREFIX) && !known.includes(name) && (peers !== undefined || !isPeersVariable(name)),
  )
  return Object.freeze(
    odd.map((name) => {
      const [near] = nearest(
        ownPart(name),
        known.map((one) => ownPart(one)),
      )
      const what = isPeersVariable(name)
        ? 'no group of this deployment is called so'
        : 'lucilius reads no such variable'
      return `${name}: ${what}${near === undefined ? '' : `: did you mean ${PREFIX}${near}?`}`
    }),
  )
}

function ownPart(name: string): string {
  return name.slice(PREFIX.length)
}
