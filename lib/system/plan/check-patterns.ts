import { covers } from '../../covers.js'
import { isGlob, literalLength } from '../../glob.js'
import type { Pattern } from '../../pattern.js'
import { compareKeyLists, compareSpecificity } from '../../specificity.js'
import { errorOf, type Finding, warningOf } from './finding.js'
import type { Layout, Owned } from './layout.js'
import { meets } from './meets.js'
import { quoted, spoken, who } from './words.js'

/** Finds patterns that two services add, and what may match both of two patterns while only the alphabet decides. */
export function checkPatterns(layout: Layout): Finding[] {
  const placed = layout.actions.filter(({ owner }) => layout.groupsOf(owner).length > 0)
  return [...shadowed(placed, layout), ...ambiguous(placed)]
}

function shadowed(actions: readonly Owned[], layout: Layout): Finding[] {
  const owners = new Map<string, string[]>()
  for (const { pattern, owner } of actions) {
    const known = owners.get(pattern.text) ?? []
    if (!known.includes(owner)) owners.set(pattern.text, [...known, owner])
  }
  const twice = [...owners].filter(([, names]) => names.length > 1)
  return twice.map(([text, names]) => shadowedBy(text, names, layout))
}

function shadowedBy(text: string, names: readonly string[], layout: Layout): Finding {
  const where = `services.${names.at(-1)}`
  const both = `${spoken(names)} add ${text === '' ? 'a catch-all' : quoted(text)}`
  const places = new Set(
    names.map((name) =>
      layout
        .groupsOf(name)
        .map((group) => group.name)
        .join(),
    ),
  )
  const first = layout.groupsOf(names[0] ?? '')[0]
  if (places.size > 1 || first === undefined) {
    return errorOf('SHADOWED', where, `${both}, and not in the same groups: which one answers depends on who asks.`)
  }
  const loaded = [...layout.offers.plugins.keys(), ...first.services]
  const front = names.toSorted((a, b) => loaded.indexOf(b) - loaded.indexOf(a))[0] ?? ''
  return warningOf(
    'SHADOWED',
    where,
    `${both}: ${quoted(front)} stands in front, and what is behind answers as its prior.`,
  )
}

/** One finding for two services, however many patterns of theirs meet. */
function ambiguous(actions: readonly Owned[]): Finding[] {
  const pairs = new Map<string, { readonly one: Owned; readonly other: Owned; count: number }>()
  for (const [one, other] of comparable(actions)) {
    if (one.owner === other.owner || !onlyAlphabetDecides(one.pattern, other.pattern)) continue
    const name = JSON.stringify([one.owner, other.owner].sort())
    const known = pairs.get(name)
    if (known === undefined) pairs.set(name, { one, other, count: 1 })
    else known.count++
  }
  return [...pairs.values()].map(({ one, other, count }) => {
    const [winner, loser] = compareSpecificity(one.pattern, other.pattern) < 0 ? [one, other] : [other, one]
    const more = count === 1 ? '' : ` The same holds for ${count - 1} more of their patterns.`
    return warningOf(
      'AMBIGUOUS',
      `services.${loser.owner}`,
      `A message may match ${who(one)} and ${who(other)}: ${quoted(winner.owner)} answers, only because of the alphabet.${more}`,
    )
  })
}

/**
 * Pairs of actions with as many keys, one of them in common: without that no message is meant for both. Of actions with
 * the same keys only those with globs, for no message matches two others. So a few thousand are compared in no time.
 */
function* comparable(actions: readonly Owned[]): Generator<readonly [Owned, Owned]> {
  const byKeys = new Map<string, Owned[]>()
  for (const action of actions) {
    const name = action.pattern.keys.join('\0')
    const known = byKeys.get(name)
    if (known === undefined) byKeys.set(name, [action])
    else known.push(action)
  }
  const groups = [...byKeys.values()]
  for (const [at, group] of groups.entries()) {
    yield* pairsWithin(group.filter(({ pattern }) => pattern.globs > 0))
    const keys = group[0]?.pattern.keys ?? []
    for (const other of groups.slice(at + 1)) {
      const others = other[0]?.pattern.keys ?? []
      if (keys.length !== others.length || !keys.some((key) => others.includes(key))) continue
      for (const one of group) for (const two of other) yield [one, two]
    }
  }
}

function* pairsWithin(actions: readonly Owned[]): Generator<readonly [Owned, Owned]> {
  for (const [at, one] of actions.entries()) for (const other of actions.slice(at + 1)) yield [one, other]
}

/** Rules 1, 2 and 4 of the matching order say nothing. */
function onlyAlphabetDecides(a: Pattern, b: Pattern): boolean {
  if (a.globs !== b.globs || a.text === b.text || !meets(a, b)) return false
  if (compareKeyLists(a.keys, b.keys) === 0 && literals(a) !== literals(b)) return false
  return !covers(a, b) && !covers(b, a)
}

function literals({ values }: Pattern): number {
  return values.filter(isGlob).reduce((sum, value) => sum + literalLength(value), 0)
}
