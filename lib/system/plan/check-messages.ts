import { nearest } from '../../nearest.js'
import type { Group } from '../system.js'
import { errorOf, type Finding, warningOf } from './finding.js'
import type { Layout } from './layout.js'
import type { Route, Taker } from './routes.js'
import type { Sent } from './sent.js'
import { quoted, spoken, who } from './words.js'

/** Checks that a message that a group sends has a home, which the group reaches. */
export function checkMessage(sent: Sent, from: Group, routes: readonly Route[], layout: Layout): Finding[] {
  if (routes.length === 0) return sent.optional ? [] : [homeless(sent, layout)]
  if (routes.some(({ to }) => to.length > 0)) return routes.flatMap(checkRoute)
  return [outOfReach(routes[0] as Route, from)] // there is one: see above
}

function homeless(sent: Sent, layout: Layout): Finding {
  const { service, kind, text, where } = sent
  if (kind === 'emit') {
    return warningOf('UNHEARD', where, `Nobody observes the event ${quoted(text)}, which ${quoted(service)} emits.`)
  }
  const elsewhere = [...layout.actions, ...(kind === 'act' ? [] : layout.subscriptions)].find(
    ({ owner, pattern }) => layout.groupsOf(owner).length === 0 && sent.lacks(pattern)?.length === 0,
  )
  const answers = kind === 'act' ? 'No action answers' : 'No action answers and no subscription observes'
  const hint =
    elsewhere === undefined ? hintFor(sent, layout) : ` ${quoted(elsewhere.owner)} would, but it is in no group.`
  return errorOf('MISSING_HOME', where, `${answers} ${quoted(text)}, which ${quoted(service)} sends.${hint}`)
}

function hintFor({ service, text, kind }: Sent, { actions, subscriptions }: Layout): string {
  const known = [...actions, ...(kind === 'act' ? [] : subscriptions)].map(({ pattern }) => pattern.text)
  const [near] = nearest(text, new Set(known), 1)
  const meant = near === undefined ? '' : ` Did you mean ${quoted(near)}?`
  const event = ` An event that nobody has to observe stands in 'emits' of ${quoted(service)}.`
  return kind === 'act' ? meant : `${meant}${event}`
}

function outOfReach({ sent, kind, missed }: Route, from: Group): Finding {
  const [taker] = missed
  const takes = kind === 'act' ? 'answers' : 'observes'
  const message = `The group ${quoted(from.name)} sends ${quoted(sent.text)} (${quoted(sent.service)}), and what ${takes} it is out of its reach`
  return errorOf('UNREACHABLE', sent.where, `${message}${taker === undefined ? '' : `: ${who(taker)}`}.`)
}

function checkRoute({ sent, from, kind, to, special, missed }: Route): Finding[] {
  const [taker] = to
  if (taker === undefined) return []
  const { service, text, where } = sent
  const message = `${quoted(text)} of ${quoted(service)}`
  const place = `out of reach of the group ${quoted(from.name)}`
  const findings = missed.map((lost) =>
    kind === 'act'
      ? errorOf('UNREACHABLE', where, `${who(lost)} would answer ${message}, but is ${place}: ${who(taker)} answers.`)
      : warningOf('UNHEARD', where, `${who(lost)} does not hear the event ${message}: it is ${place}.`),
  )
  for (const lost of special.filter(({ groups }) => groups.length === 0)) {
    const rest = `${who(taker)} answers instead when the data beside it brings ${spoken(lost.lacks)}.`
    findings.push(warningOf('BYPASSED', where, `${who(lost)} is ${place}, which sends ${message}: ${rest}`))
  }
  if (taker.lacks.length > 0) findings.push(incomplete(sent, to))
  return findings
}

function incomplete({ service, text, where }: Sent, takers: readonly Taker[]): Finding {
  const needed = takers.map((taker) => `${spoken(taker.lacks)} for ${who(taker)}`)
  return warningOf(
    'INCOMPLETE',
    where,
    `${quoted(text)}, which ${quoted(service)} sends, has a home only if the data beside it brings ${needed.slice(0, 3).join(', or ')}.`,
  )
}
