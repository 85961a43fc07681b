import { type Host, hostApp } from '../../host.js'
import { jsonLogger } from '../../logger.js'
import { readEnvironment } from '../../system/environment.js'
import { loadPlugin } from '../../system/loading/load-plugin.js'
import { loadSystem } from '../../system/loading/load-system.js'
import type { System } from '../../system/system.js'
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
    const { system, folder } = await loadSystem({ cwd: io.cwd, config })
    host = hostApp({
      ...system.limits,
      name: system.name ?? 'system',
      parity: 'strict',
      logger: jsonLogger({ level: readEnvironment(io.env).logLevel ?? 'warn', write: (line) => io.stderr.write(line) }),
    })
    await useAll(host, system, folder)
    await (wish === 'act' ? host.app.ready() : host.load())
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

async function useAll({ app }: Host, { plugins, services }: System, folder: string): Promise<void> {
  for (const { name, module, options } of [...plugins.values(), ...services.values()]) {
    app.use(await loadPlugin(name, module, folder), options, { as: name })
  }
}
