import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { type ConnectionOptions, connect, type NatsConnection } from '@nats-io/transport-node'
import type { Test } from 'tap'
import { type App, type AppOptions, lucilius } from '../../../lib/index.js'

const program = fileURLToPath(new URL('./server.js', import.meta.url))

let spaces = 0

/** A space that no other test has. */
export function newSpace(): string {
  return `space-${process.pid}-${++spaces}`
}

/** An app that is closed at the end of the test. */
export function made(t: Test, name: string, options: AppOptions = {}): App {
  const app = lucilius({ name, drainMs: 500, ...options })
  t.teardown(() => app.close())
  return app
}

/** A client that knows nothing of lucilius. */
export async function foreigner(t: Test, servers: string, options: ConnectionOptions = {}): Promise<NatsConnection> {
  const client = await connect({ servers, noAsyncTraces: true, ...options })
  t.teardown(() => client.close())
  return client
}

/** Starts the service of `server.ts` in a process of its own, which is killed at the end of the test. */
export async function startService(t: Test, servers: string, space: string): Promise<ChildProcess> {
  const child = fork(program, [servers, space])
  t.teardown(() => kill(child))
  await once(child, 'message')
  return child
}

export async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.kill('SIGKILL')
  await gone
}
