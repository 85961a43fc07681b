import { actionLines } from '../print/actions.js'
import { columns } from '../print/columns.js'
import { explanationLines } from '../print/explanation.js'
import { harmlessText, oneLine } from '../print/harmless-text.js'
import { toJson } from '../print/json.js'
import type { Paint } from '../print/log-entry.js'
import { type DotCommand, dotCommands } from './dot-commands.js'
import { toFailure } from './failure.js'
import { milliseconds } from './milliseconds.js'
import { traceLines } from './trace-lines.js'
import type { Answered, Voice } from './voice.js'

/** A screen that lines are written to. They are written as they are: whoever makes them leaves nothing in that acts. */
export interface Screen {
  /** Columns, at the moment. */
  readonly columns: number
  /** Writes lines, what does not fit folded; `after` follows in any case. */
  fold(lines: readonly string[], after?: readonly string[]): void
  /** Writes lines, all of them. */
  write(lines: readonly string[]): void
}

/** Tells a person what came of a line. */
export function terminalVoice(screen: Screen, paint: Paint): Voice {
  /** Columns of the longest name of a process so far. */
  let width = 0
  const say = (text: string) => screen.write([paint.dim(harmlessText(text))])
  return {
    reply: (reply, answered) => {
      const line = toJson(reply)
      const lines = line.length > screen.columns ? toJson(reply, 2).split('\n') : [line]
      screen.fold(lines, answeredLines(answered, paint))
    },
    failure: (error, answered) => {
      const { code, message, details } = toFailure(error)
      const text = oneLine(code === undefined ? message : `${code}: ${message}`)
      const more = details === undefined ? '' : ` ${toJson(details)}`
      screen.fold([`${paint.red(text)}${more}`], answeredLines(answered, paint))
    },
    list: (actions) => screen.fold(actions.length === 0 ? [paint.dim('There is none.')] : actionLines(actions)),
    explanation: (explanation) => screen.fold(explanationLines(explanation)),
    passed: (batch) => {
      width = Math.max(width, batch.process.length)
      screen.write(traceLines(batch, width, paint))
    },
    traced: (of) =>
      say(of === undefined ? 'What passes is shown no more.' : 'What passes is shown. .trace off ends it.'),
    say,
  }
}

/** What may be typed. */
export function helpLines(): string[] {
  const rows = Object.entries<DotCommand>(dotCommands).map(([name, { args, does }]) => [`${name} ${args}`, does])
  return [
    ...columns([
      ['role:stock,cmd:left,sku:apple', 'a message: its reply is shown, who answered, and how long it took'],
      ...rows,
    ]),
    'Tab completes keys, values and commands. Ctrl-C gives up a message under way. A line that begins with a space is not kept.',
  ]
}

function answeredLines(answered: Answered | undefined, paint: Paint): string[] {
  if (answered === undefined) return []
  return [paint.dim(harmlessText(`${answered.by ?? 'no process'}, ${milliseconds(answered.ms)}`))]
}
