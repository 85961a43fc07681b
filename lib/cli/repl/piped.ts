import { createInterface } from 'node:readline'
import { exitCodes } from '../exit-codes.js'
import type { Io } from '../io.js'
import { toJson } from '../print/json.js'
import type { Connection } from './connection.js'
import { Mistyped, toTyped } from './dot-commands.js'
import { toFailure } from './failure.js'
import { heed, isAsked } from './heed.js'
import { roundedMs } from './milliseconds.js'
import type { Answered, Voice } from './voice.js'

/**
 * Takes lines where nobody is at a terminal, one after the other, and prints one line of JSON for each: an object with
 * `reply`, `error`, `list`, `explanation` or `trace`. Ends with 1 if one of them failed.
 */
export async function takePiped(input: NodeJS.ReadableStream, connection: Connection, io: Io): Promise<number> {
  const voice = jsonVoice(io)
  const never = new AbortController().signal
  let code: number = exitCodes.done.code
  for await (const line of createInterface({ input })) {
    try {
      const typed = toTyped(line)
      if (typed === undefined) continue
      if (typed.kind === 'command' && typed.name === '.exit') break
      if (!isAsked(typed)) throw new Mistyped(`${typed.name} is for a terminal.`)
      if (!(await heed(typed, connection, voice, never))) code = exitCodes.failed.code
    } catch (error) {
      voice.failure(error, undefined)
      code = exitCodes.failed.code
    }
  }
  return code
}

function jsonVoice({ stdout }: Io): Voice {
  const print = (value: object) => void stdout.write(`${toJson(value)}\n`)
  return {
    reply: (reply, answered) => print({ reply: reply ?? null, ...rounded(answered) }),
    failure: (error, answered) => print({ error: toFailure(error), ...rounded(answered) }),
    list: (list) => print({ list }),
    explanation: (explanation) => print({ explanation }),
    traced: (of) => print(of === undefined ? { trace: 'off' } : { trace: 'on', of }),
    passed: (batch) => print(batch),
    say: () => {},
  }
}

function rounded(answered: Answered | undefined): Partial<Answered> {
  return answered === undefined ? {} : { ...answered, ms: roundedMs(answered.ms) }
}
