import { sharedSecret } from '../../auth.js'
import { findControl } from '../../system/control/index.js'
import { findSystem } from '../../system/loading/find-system.js'
import { readSecret } from '../../system/secret.js'
import { CommandError } from '../errors.js'
import type { Io } from '../io.js'
import { withAdvice } from './advice.js'
import { asClient } from './as-client.js'
import { asPeer } from './as-peer.js'
import { ClientsOnly } from './clients-only.js'
import { type ListenerAt, listenerAt } from './listener-url.js'
import type { ReachOptions } from './reach.js'
import type { Reached, ReachedSystem } from './reached.js'

/**
 * Finds what runs: the listener at `--url`, else what runs of the system of this folder. Starts nothing. Rejects with a
 * `CommandError` if nothing runs.
 */
export async function reachRunning({ url, config }: ReachOptions, io: Io): Promise<ReachedSystem> {
  if (url !== undefined) return reachListener(url, io)
  const running = await findControl(findSystem(io.cwd, config).folder, io.env.LUCILIUS_RUN_DIR)
  if (running === undefined) {
    const advice = "start it with 'lucilius dev' or 'lucilius up' in another terminal, or name a listener with --url."
    throw new CommandError('unreached', `Nothing of this system runs: ${advice}`)
  }
  const { name, what, processes } = await running.about()
  return {
    what: `${name}, ${what}, ${processes.length} ${processes.length === 1 ? 'process' : 'processes'}`,
    act: (message, timeoutMs, watch) => running.act(message, { timeoutMs, ...watch }),
    list: (pattern) => running.list(pattern),
    explain: (message) => running.explain(message),
    trace: (hear, signal) => running.trace(hear, signal),
    isThere: () => !running.closed.aborted,
    close: async () => running.close(),
  }
}

/** As a peer, which is told what there is; where that is not let in, as a client, which is told nothing. */
async function reachListener(url: string, io: Io): Promise<ReachedSystem> {
  const listener = await listenerAt(url)
  const secret = readSecret(io.env)
  const auth = secret === undefined ? undefined : sharedSecret(secret)
  const asked = { url, place: listener.place, hasSecret: auth !== undefined }
  const reached = await withAdvice(asked, () =>
    asPeer(listener, auth).catch((error) => {
      if (error instanceof ClientsOnly) return asClientOf(listener, auth?.authorization)
      throw error
    }),
  )
  return { ...reached, what: listener.place, isThere: () => true }
}

/** A client is not told who answers: as far as it knows, the listener does. */
async function asClientOf(listener: ListenerAt, authorization: string | undefined): Promise<Reached> {
  const client = await asClient(listener, authorization)
  return {
    ...client,
    act: (message, timeoutMs, { signal, answered } = {}) =>
      client.act(message, timeoutMs, {
        ...(signal === undefined ? {} : { signal }),
        answered: (_, ms) => answered?.(listener.place, ms),
      }),
  }
}
