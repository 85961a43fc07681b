import { covers } from '../../covers.js'
import { nearest } from '../../nearest.js'
import { type Pattern, toPattern } from '../../pattern.js'
import { type Exposure, toExposure } from '../../peers/exposure.js'
import { letsIn } from '../lets-in.js'
import type { Group, Outside } from '../system.js'
import { errorOf, type Finding, warningOf } from './finding.js'
import type { Layout, Owned } from './layout.js'
import { quoted, who } from './words.js'

/** A door of a group to the outside, and the actions that it lets in. */
export interface Door {
  readonly group: Group
  readonly outside: Outside
  readonly where: string
  readonly exposure: Exposure
  readonly lets: readonly Owned[]
}

/** The doors of a deployment. */
export function doorsOf(layout: Layout): Door[] {
  return layout.groups.flatMap((group) => {
    const here = layout.actionsIn(group)
    return group.outside.map((outside, index) => {
      const where = `deployments.${layout.deployment.name}.groups.${group.name}.outside${group.outside.length > 1 ? `[${index}]` : ''}`
      const exposure = toExposure(where, outside.expose, outside.events ?? {})
      const isIn = letsIn(outside, group)
      const lets = here.filter(({ pattern, owner }) => isIn(pattern, owner))
      return { group, outside, where, exposure, lets }
    })
  })
}

/** Checks that a door lets in what it says, nothing internal, and nothing else than one process with all would. */
export function checkDoor(door: Door, layout: Layout): Finding[] {
  return [...checkInternal(door, layout), ...checkIdle(door, layout), ...checkSpecial(door, layout)]
}

function checkInternal({ group, outside, where, lets }: Door, { system }: Layout): Finding[] {
  return lets
    .filter(({ owner, pattern }) => system.services.get(owner)?.internal.some((one) => covers(one, pattern)))
    .map((action) =>
      errorOf(
        'EXPOSED_INTERNAL',
        `${where}.expose`,
        `The ${outside.transport} door of ${quoted(group.name)} lets in ${who(action)}, which is internal.`,
      ),
    )
}

function checkIdle({ group, outside, where, exposure }: Door, layout: Layout): Finding[] {
  const patterns = (actions: readonly Owned[]) => actions.map(({ pattern }) => pattern)
  const all = patterns(layout.actions)
  const nowhere = exposure.without(all)
  const says = `The ${outside.transport} door of ${quoted(group.name)} exposes`
  return exposure.without(patterns(layout.actionsIn(group))).map((idle) => {
    if (!nowhere.includes(idle)) {
      const there = layout.actions.find(({ pattern }) => exposure.without([pattern]).every((one) => one !== idle))
      const owner = there === undefined ? 'another service' : quoted(there.owner)
      const facts = `${says} ${quoted(idle.text)}, which ${owner} answers: that is in another group, and a door lets in actions of its own.`
      return errorOf('EXPOSED_ELSEWHERE', `${where}.expose`, facts)
    }
    const near = widened(idle, [...patterns(layout.actionsIn(group)), ...all]) ?? nearestText(idle, all)
    const hint = near === undefined ? '' : ` Did you mean ${quoted(near)}?`
    return warningOf(
      'EXPOSES_NOTHING',
      `${where}.expose`,
      `${says} ${quoted(idle.text)}, which lets in no action: an exposed pattern has exactly the keys of its actions.${hint}`,
    )
  })
}

/** An exposed pattern with the keys that actions have beside it; undefined if no action has more. */
function widened(idle: Pattern, actions: readonly Pattern[]): string | undefined {
  const special = actions.find((one) => one.keys.length > idle.keys.length && covers(idle, one))
  if (special === undefined) return undefined
  const any = Object.fromEntries(special.keys.map((key) => [key, '*']))
  return toPattern({ ...any, ...idle.pairs }).text
}

function nearestText({ text }: Pattern, actions: readonly Pattern[]): string | undefined {
  return nearest(text, new Set(actions.map((one) => one.text)), 1)[0]
}

/** What stands, here or elsewhere, before an action that is let in. */
function checkSpecial({ group, outside, where, exposure, lets }: Door, layout: Layout): Finding[] {
  const here = layout.actionsIn(group)
  const elsewhere = layout.actions.filter(
    (action) => !here.includes(action) && action.pattern.text !== '' && layout.groupsOf(action.owner).length > 0,
  )
  const door = `the ${outside.transport} door of ${quoted(group.name)}`
  return lets.flatMap((action) => {
    const before = (other: Owned) => other.pattern.text !== action.pattern.text && covers(action.pattern, other.pattern)
    const hidden = here.find((other) => before(other) && !exposure.action(other.pattern))
    const bypassed = elsewhere.find(
      (other) => before(other) && !here.some(({ pattern }) => pattern.text === other.pattern.text),
    )
    const findings: Finding[] = []
    if (hidden !== undefined) {
      const facts = `At ${door}, ${who(hidden)} stands before ${who(action)} and is not exposed: messages that match it are refused.`
      findings.push(warningOf('HIDDEN_BY_SPECIFIC', `${where}.expose`, facts))
    }
    if (bypassed !== undefined) {
      const facts = `Clients of ${door} reach ${who(action)} and never ${who(bypassed)}, which runs in another group.`
      findings.push(warningOf('BYPASSED', `${where}.expose`, facts))
    }
    return findings
  })
}
