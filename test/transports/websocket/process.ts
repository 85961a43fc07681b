import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'

const program = fileURLToPath(new URL('./server.js', import.meta.url))

/** A service in a process of its own. */
export interface Service {
  readonly url: string
  readonly port: number
  readonly child: ChildProcess
  /** The numbers of the slow acts that were started, in order. */
  readonly started: unknown[]
  /** Lets it drain and close. */
  close(): Promise<void>
  kill(): Promise<void>
}

/** Starts a service. It is killed when the test ends. */
export async function start(t: Test, port = 0, tag = ''): Promise<Service> {
  const child = fork(program, [String(port), tag])
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const kill = () => {
    child.kill('SIGKILL')
    return exited
  }
  t.teardown(kill)
  const started: unknown[] = []
  const url = await new Promise<string>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`It exited with ${code}.`)))
    child.on('message', (told: { url?: string; started?: unknown }) => {
      if (told.url === undefined) started.push(told.started)
      else resolve(told.url)
    })
  })
  return {
    url,
    port: Number(new URL(url).port),
    child,
    started,
    kill,
    close: () => {
      child.send('close')
      return exited
    },
  }
}
