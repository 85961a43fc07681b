import { spawn } from 'node:child_process'

/** Ends what a test has started, also when the test process is killed. */
export interface Guard {
  /** The process groups that are to be ended: these, and no longer those told before. */
  watch(groups: readonly number[]): void
  /** Ends them and deletes the folder. */
  end(): Promise<void>
}

// Reads the groups line by line. The end of its input is the end of whoever holds the other end, however that came.
const script = `
groups=
while read -r line; do groups=$line; done
for group in $groups; do kill -s KILL -- "-$group"; done
for try in 1 2 3 4 5; do rm -rf -- "$1" && exit; sleep 0.1; done
`

/** Starts a shell that waits for the end of this process. */
export function startGuard(folder: string): Guard {
  const shell = spawn('/bin/sh', ['-c', script, 'broker-guard', folder], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  const gone = new Promise<void>((resolve) => shell.once('exit', () => resolve()))
  shell.unref()
  const { stdin } = shell
  stdin.on('error', () => {}) // The shell itself was ended.
  // A pipe is a socket here, and must not keep a test process alive.
  if ('unref' in stdin && typeof stdin.unref === 'function') stdin.unref()
  return {
    watch: (groups) => void stdin.write(`${groups.join(' ')}\n`),
    end: () => {
      shell.ref()
      stdin.end()
      return gone
    },
  }
}
