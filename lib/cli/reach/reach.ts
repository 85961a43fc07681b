import { sharedSecret } from '../../auth.js'
import type { ControlClient } from '../../system/control/index.js'
import type { Io } from '../io.js'
import { listenerAt } from './listener-url.js'
import type { Reached, Wish } from './reached.js'

/** Who is asked. */
export interface ReachOptions {
  /** A listener. */
  readonly url?: string
  /** The description, where it is not found by its name. */
  readonly config?: string
}

/**
 * Finds who answers: the listener at `--url`, else what runs of the system of this folder, else the system itself, set up
 * in this process, and started if there is something to act on.
 */
export async function reach(wish: Wish, { url, config }: ReachOptions, io: Io): Promise<Reached> {
  if (url !== undefined) return reachListener(wish, url, io)
  const { findSystem } = await import('../../system/loading/find-system.js')
  const { findControl } = await import('../../system/control/index.js')
  const running = await findControl(findSystem(io.cwd, config).folder, io.env.LUCILIUS_RUN_DIR)
  if (running !== undefined) return asCommander(running)
  const { startHere } = await import('./here.js')
  return startHere(wish, config, io)
}

function asCommander(running: ControlClient): Reached {
  return {
    act: (message, timeoutMs) => running.act(message, timeoutMs === undefined ? {} : { timeoutMs }),
    list: (pattern) => running.list(pattern),
    explain: (message) => running.explain(message),
    close: async () => running.close(),
  }
}

async function reachListener(wish: Wish, url: string, io: Io): Promise<Reached> {
  const listener = await listenerAt(url)
  const { readSecret } = await import('../../system/secret.js')
  const secret = readSecret(io.env)
  const auth = secret === undefined ? undefined : sharedSecret(secret)
  const { withAdvice } = await import('./advice.js')
  return withAdvice({ url, place: listener.place, hasSecret: auth !== undefined }, async () =>
    wish === 'act'
      ? (await import('./as-client.js')).asClient(listener, auth?.authorization)
      : (await import('./as-peer.js')).asPeer(listener, auth),
  )
}
