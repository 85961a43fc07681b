import type { ActionInfo } from '../../explain.js'
import { columns } from './columns.js'

/** Actions as lines: pattern, service, and where it runs if that is not here. */
export function actionLines(actions: readonly ActionInfo[]): string[] {
  return columns(actions.map((action) => [patternText(action.pattern), action.service, placeOf(action)]))
}

/** A pattern as it is shown: the catch-all has no text of its own. */
export function patternText(pattern: string): string {
  return pattern === '' ? "''" : pattern
}

/** Where an action runs, if that is not here. */
export function placeOf({ remote }: ActionInfo): string {
  return remote === undefined ? '' : `in ${remote}`
}
