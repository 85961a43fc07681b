import { type Host, hostApp } from '../../host.js'
import { jsonLogger, type Logger } from '../../logger.js'
import { type Environment, readEnvironment } from '../../system/environment.js'
import { loadSystem } from '../../system/loading/load-system.js'
import { sendHook } from '../../system/send-hook.js'
import { storeOf } from '../../system/store-of.js'
import { onOneProcess } from '../../system/topology.js'
import { useAll } from '../../system/use-all.js'
import type { Io } from '../io.js'
import { readableLogger } from '../print/readable-logger.js'
import type { Reached, Wish } from './reached.js'
import { consoleToStderr } from './services-console.js'

/**
 * The whole system in this process, without a door: set up to be looked at, started to be acted on. Strict parity, as in
 * development; warnings go to stderr, as JSON lines where nobody reads them.
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
    const name = system.name ?? 'system'
    const log = logger(environment, name, io)
    for (const warning of environment.warnings) log.warn(warning)
    // The one that `dev` has: what is kept there is for the next start.
    const store = await storeOf({ loaded, deployment: onOneProcess(system), environment })
    const onSend = sendHook({ loaded, parity: 'strict' }, log, () => made)
    const made: Host = hostApp(
      {
        ...system.limits,
        name,
        parity: 'strict',
        logger: log,
        ...(store === undefined ? {} : { store }),
      },
      onSend === undefined ? {} : { onSend },
    )
    host = made
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

function logger({ logLevel: level = 'warn' }: Environment, name: string, { stderr, isErrorTty, color }: Io): Logger {
  if (isErrorTty) return readableLogger({ level, color, to: stderr, name })
  return jsonLogger({ level, write: (line) => stderr.write(line) })
}
