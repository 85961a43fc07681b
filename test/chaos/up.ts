import { spawn } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { type Conditions, toVariables } from './conditions.js'
import type { Subject } from './subject.js'

const main = fileURLToPath(new URL('../../lib/cli/main.js', import.meta.url))
const config = fileURLToPath(new URL('./lucilius.config.js', import.meta.url))

/** The deployment that goes over each transport. */
export const deployments = { websocket: 'split', http: 'over-http' } as const

/** Starts the system with `lucilius up`, as anybody would. Resolves when all processes are up. */
export async function startUp(
  deployment: string,
  given: Conditions,
  show: (line: string) => void = () => {},
): Promise<Subject> {
  const { NODE_ENV, NODE_OPTIONS, ...clean } = process.env
  const env = {
    ...clean,
    ...toVariables(given),
    LUCILIUS_RUN_DIR: join(given.folder, 'run'),
    LUCILIUS_LOG_LEVEL: 'error',
  }
  const child = spawn(process.execPath, [main, 'up', deployment, '--config', config], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const complaints = text(child.stderr)
  const ended = once(child, 'close') as Promise<[number | null]>
  const pids = new Map<string, number>()
  const heard = new EventEmitter().setMaxListeners(0)
  createInterface({ input: child.stdout }).on('line', (line) => {
    const [, id, pid] = /^(\S+) +\| ready, pid (\d+)/.exec(line) ?? []
    if (id !== undefined) pids.set(id, Number(pid))
    show(line)
    heard.emit('line', line)
  })
  const until = (isSo: (line: string) => boolean) =>
    new Promise<void>((resolve, reject) => {
      const hear = (line: string) => {
        if (!isSo(line)) return
        heard.off('line', hear)
        resolve()
      }
      heard.on('line', hear)
      ended.then(async () => reject(new Error(`lucilius up ended: ${await complaints}`)), reject)
    })
  await until((line) => line.startsWith('up: '))
  return {
    ids: [...pids.keys()].sort(),
    pidOf: (id) => pids.get(id) as number, // Each was ready once.
    replaced: (id, pid) => (pids.get(id) === pid ? until(() => pids.get(id) !== pid) : Promise.resolve()),
    roll: (id) => void process.kill(pids.get(id) as number, 'SIGTERM'),
    rollAll: async () => {
      let last = ''
      const isOver = until((line) => {
        last = line
        return /all processes are replaced|stopped replacing/.test(line)
      })
      child.kill('SIGHUP')
      await isOver
      if (last.includes('stopped')) throw new Error(last)
    },
    end: async () => {
      child.kill('SIGTERM')
      const [code] = await ended
      if (code !== 0) throw new Error(`lucilius up ended with ${code}: ${await complaints}`)
    },
    // Its processes end by themselves without it.
    kill: () => void child.kill('SIGKILL'),
  }
}
