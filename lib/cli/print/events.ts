import { createColors } from 'picocolors'
import type { DeadLetter, Failure, StoreReport } from '../../store.js'
import { patternText } from './actions.js'
import { columns } from './columns.js'
import { oneLine } from './harmless-text.js'
import { toJson } from './json.js'
import { moment } from './moment.js'

/** What a store tells of itself, for people: how much it keeps, and how far each subscription is. */
export function reportLines(report: StoreReport, color: boolean): string[] {
  const { bold } = createColors(color)
  const rows = report.subscriptions.map(({ name, pattern, waiting, running, dead, ordered }) => [
    name,
    patternText(pattern),
    ...[waiting, running, dead].map(String),
    ordered ? 'in order' : '',
  ])
  const [head = '', ...lines] = columns(numbersRight([SUBSCRIPTION_TITLES, ...rows], [2, 3, 4]))
  return [
    ...columns([
      ['store', report.store],
      ['events', keptText(report)],
      ['retained', String(report.retained)],
    ]),
    '',
    ...(rows.length === 0 ? ['No subscription is known.'] : [bold(head), ...lines]),
  ]
}

const SUBSCRIPTION_TITLES = ['subscription', 'pattern', 'waiting', 'running', 'dead']

function keptText({ events, bytes, oldestAt }: StoreReport): string {
  const size = bytes === undefined ? '' : `, ${bytes} bytes`
  return `${events}${size}${oldestAt === undefined ? '' : `, the oldest of ${moment(oldestAt)}`}`
}

/** Dead letters, a line each: id, when, subscription, how often it was tried, and what failed last. */
export function deadLetterLines(letters: readonly DeadLetter[], color: boolean): string[] {
  const { bold } = createColors(color)
  const rows = letters.map(({ id, at, subscription, failures }) => [
    id,
    moment(at),
    subscription,
    String(failures.at(-1)?.attempt ?? 0),
    errorText(failures.at(-1)),
  ])
  const [head = '', ...lines] = columns(numbersRight([LETTER_TITLES, ...rows], [3]))
  return [bold(head), ...lines]
}

const LETTER_TITLES = ['id', 'when', 'subscription', 'tries', 'last error']

/** One dead letter with its event and all that failed. */
export function deadLetter({ id, subscription, at, event, failures }: DeadLetter): string[] {
  const { traceparent, identity } = event.meta
  return [
    ...columns([
      ['dead letter', id],
      ['since', moment(at)],
      ['subscription', subscription],
      ['event', event.id],
      ['emitted', moment(event.at)],
      ['declared', patternText(event.declared)],
      ...(event.key === '' ? [] : [['key', event.key]]),
      ...(traceparent === undefined ? [] : [['trace', traceparent]]),
      ...(identity === undefined ? [] : [['identity', toJson(identity)]]),
    ]),
    '',
    ...toJson(event.message, 2).split('\n'),
    '',
    ...columns(
      failures.map((failure) => [
        `attempt ${failure.attempt}`,
        moment(failure.at),
        `in ${failure.instance}`,
        errorText(failure),
      ]),
    ),
  ]
}

function errorText(failure: Failure | undefined): string {
  if (failure === undefined) return ''
  const { code, message } = failure
  return oneLine(code === undefined ? message : `${code}: ${message}`)
}

/** The cells of some columns, moved to the right. */
function numbersRight(rows: readonly (readonly string[])[], at: readonly number[]): string[][] {
  const widths = at.map((index) => Math.max(...rows.map((row) => row[index]?.length ?? 0)))
  return rows.map((row) =>
    row.map((cell, index) => (at.includes(index) ? cell.padStart(widths[at.indexOf(index)] ?? 0) : cell)),
  )
}
