import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { type FaultProxy, faultProxy } from '../support/fault-proxy.js'
import type { TransportName } from './over.js'

const program = fileURLToPath(new URL('./server.js', import.meta.url))

/** A service in a process of its own, behind a proxy: what can be done to it. */
export interface Service {
  readonly proxy: FaultProxy
  /** `kill -9`. */
  kill(): Promise<void>
  /** Lets it drain and end. */
  end(): Promise<void>
  /** Starts it again on its port. */
  start(): Promise<void>
  signal(name: 'SIGSTOP' | 'SIGCONT'): void
  /** Ends all that belongs to it. */
  close(): Promise<void>
}

/** Starts a service that writes what it does into a file. */
export async function startService(transport: TransportName, ledger: string): Promise<Service> {
  let child: ChildProcess
  let port = 0
  const start = async () => {
    child = fork(program, [transport, String(port), ledger])
    const exit = once(child, 'exit').then(([code]) => {
      throw new Error(`A service exited with ${code} instead of listening.`)
    })
    const [url] = (await Promise.race([once(child, 'message'), exit])) as [string]
    exit.catch(() => {}) // It is meant to exit later on.
    port = Number(new URL(url).port)
  }
  const stop = async (signal: 'SIGKILL' | 'SIGTERM') => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const exited = once(child, 'exit')
    child.kill(signal)
    await exited
  }
  await start()
  const proxy = await faultProxy(port)
  return {
    proxy,
    start,
    kill: () => stop('SIGKILL'),
    end: () => stop('SIGTERM'),
    signal: (name) => void child.kill(name),
    close: async () => {
      await stop('SIGKILL')
      await proxy.close()
    },
  }
}
