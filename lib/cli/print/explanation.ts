import type { Candidate, Explanation } from '../../explain.js'
import { patternText, placeOf } from './actions.js'
import { columns } from './columns.js'
import { harmlessText } from './harmless-text.js'
import { toJson } from './json.js'

/** What happens to a message, as lines: what is empty is left out. */
export function explanationLines(explanation: Explanation): string[] {
  const { message, winner, candidates, priors, wraps, warnings, nearest } = explanation
  const action = ({ pattern, service, remote }: (typeof candidates)[number] | (typeof priors)[number]) => [
    patternText(pattern),
    service,
    placeOf({ pattern, service, remote }),
  ]
  return [
    `message     ${toJson(message)}`,
    `winner      ${winner === undefined ? 'none: no action answers this message' : line(action(winner))}`,
    ...section('nearest', nearest.map(harmlessText)),
    ...section('candidates', columns(candidates.map((candidate) => [...action(candidate), verdict(candidate)]))),
    ...section('priors', columns(priors.map(action))),
    ...section(
      'wraps',
      columns(wraps.map(({ pattern, service, at }) => [patternText(pattern), service, `at the ${at}`])),
    ),
    ...section('warnings', warnings.map(harmlessText)),
  ]
}

function verdict({ reason }: Candidate): string {
  // The line itself says which of both it is.
  return reason === undefined ? 'wins' : `lost: ${reason.replace(/^".*?" loses to ".*?": /, '')}`
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.map((text, at) => `${(at === 0 ? title : '').padEnd(10)}  ${text}`)
}

function line(cells: readonly string[]): string {
  return columns([cells.filter((cell) => cell !== '')]).join('')
}
