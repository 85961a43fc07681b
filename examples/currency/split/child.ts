import { fork } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** A process that this one has started. */
export interface Child {
  readonly service: string
  readonly name: string
  /** Where it listens. Pending for one that does not. */
  readonly url: Promise<string>
  /** Gives it an address. */
  tell(url: string): void
  /** Ends it without a goodbye. */
  kill(): void
  /** Lets it finish what runs, and end. */
  end(): Promise<void>
  /** Resolves when it has ended: true if it was asked to. */
  readonly ended: Promise<boolean>
}

/** Starts the process of a service with addresses as arguments. `print` gets each line that it prints, errors too. */
export function startChild(
  service: string,
  name: string,
  addresses: readonly string[],
  print: (line: string) => void,
): Child {
  const child = fork(fileURLToPath(new URL(`./${service}.js`, import.meta.url)), addresses, { silent: true })
  let asked = false
  // Not 'close', which does not come after `disconnect`.
  const ended = once(child, 'exit').then(() => asked)
  for (const output of [child.stdout, child.stderr]) if (output) createInterface({ input: output }).on('line', print)
  return {
    service,
    name,
    url: once(child, 'message').then(([url]) => String(url)),
    tell: (url) => void child.send(url),
    kill: () => {
      asked = true
      child.kill('SIGKILL')
    },
    end: async () => {
      asked = true
      if (child.connected) child.disconnect()
      await ended
    },
    ended,
  }
}
