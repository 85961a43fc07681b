import { register } from 'node:module'
import { MessageChannel } from 'node:worker_threads'
import type { HookStart } from './hook-calls.js'
import { ModuleGraph } from './module-graph.js'

let graph: ModuleGraph | undefined

/**
 * Makes `import` take TypeScript in this process from now on, and tells who imports whom. Once is enough, further calls
 * give the same graph. Takes 25 ms, for the thread of the hooks.
 *
 * Types are stripped, nothing is checked, no tsconfig is read. `./x.js` means `./x.ts` where only that exists, as
 * TypeScript itself has it; all else is as Node does it.
 */
export function registerTypeScript(): ModuleGraph {
  if (graph !== undefined) return graph
  const { port1, port2 } = new MessageChannel()
  const data: HookStart = { port: port2 }
  register('./hooks.js', { parentURL: import.meta.url, data, transferList: [port2] })
  graph = new ModuleGraph(port1)
  return graph
}
