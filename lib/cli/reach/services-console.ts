import { Console } from 'node:console'

/** What services print goes to stderr, so that stdout has the reply alone. Gives the way back. */
export function consoleToStderr(): () => void {
  const before = globalThis.console
  globalThis.console = new Console(process.stderr, process.stderr)
  return () => {
    globalThis.console = before
  }
}
