import { type Host, hostApp } from '../../host.js'
import { jsonLogger } from '../../logger.js'
import { readEnvironment } from '../../system/environment.js'
import { loadSystem } from '../../system/loading/load-system.js'
import { storeOf } from '../../system/store-of.js'
import { onOneProcess } from '../../system/topology.js'
import { useAll } from '../../system/use-all.js'
import type { Io } from '../io.js'
import type { Reached, Wish } from './reached.js'
import { consoleToStderr } from './services-console.js'

/**
 * The whole system in this process, without a door: set up to be looked at, started to be acted on. Strict parity, as in
 * development; warnings go to stderr.
 */
export async function startHere(wish: Wish, config: string | undefined, io: Io): Promise<Reached> {
  const restore = consoleToStderr()
  let host: Host | undefined
  const close = async () => {
    try {
      await host?.app.close()
    } finally {
      restore()
    }
  }
  try {
    const loaded = await loadSystem({ cwd: io.cwd, config })
    const { system } = loaded
    const environment = readEnvironment(io.env)
    // The one that `dev` has: what is kept there is for the next start.
    const store = await storeOf({ loaded, deployment: onOneProcess(system), environment })
    host = hostApp({
      ...system.limits,
      name: system.name ?? 'system',
      parity: 'strict',
      logger: jsonLogger({ level: environment.logLevel ?? 'warn', write: (line) => io.stderr.write(line) }),
      ...(store === undefined ? {} : { store }),
    })
    await useAll(host.app, loaded)
    await (wish === 'act' ? host.app.ready() : host.load())
    if (wish === 'act' && io.isErrorTty) {
      io.stderr.write('lucilius: nothing of this system runs: it was started for this one message.\n')
    }
  } catch (error) {
    await close().catch(() => {}) // The first failure is the one to tell.
    throw error
  }
  const { app } = host
  return {
    act: (message, timeoutMs) => app.act(message, {}, timeoutMs === undefined ? {} : { timeoutMs }),
    list: async (pattern) => app.list(pattern),
    explain: async (message) => app.explain(message),
    close,
  }
}
