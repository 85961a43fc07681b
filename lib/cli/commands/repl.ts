import type { Io } from '../io.js'
import type { ReachOptions } from '../reach/reach.js'
import { Connection } from '../repl/connection.js'

/** Opens what runs at a prompt, until the person leaves or the lines end. */
export async function repl(_: readonly string[], options: ReachOptions, io: Io): Promise<number> {
  let say = (_text: string) => {}
  const connection = new Connection(options, io, (text) => say(text))
  try {
    const { what } = await connection.system()
    if (io.terminal === undefined) {
      const { takePiped } = await import('../repl/piped.js')
      return await takePiped(io.stdin ?? process.stdin, connection, io)
    }
    const { Prompt } = await import('../repl/prompt.js')
    const prompt = new Prompt(io.terminal, connection, io)
    say = (text) => prompt.say(text)
    return await prompt.run(what)
  } finally {
    await connection.close()
  }
}
