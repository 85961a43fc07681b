import nodeModule, { register } from 'node:module'
import { MessageChannel } from 'node:worker_threads'
import type { HookStart } from './hook-calls.js'
import { ModuleGraph } from './module-graph.js'

let graph: ModuleGraph | undefined

/**
 * Makes `import` take TypeScript in this process from now on, and tells who imports whom. Once is enough, further calls
 * give the same graph. Takes 30 ms, for the thread of the hooks.
 *
 * Types are stripped, nothing is checked, no tsconfig is read. `./x.js` means `./x.ts` where only that exists, as
 * TypeScript itself has it; all else is as Node does it.
 */
export function registerTypeScript(): ModuleGraph {
  if (graph !== undefined) return graph
  const { port1, port2 } = new MessageChannel()
  const data: HookStart = { port: port2 }
  enableProjectMaps()
  withoutDeprecation(() => register('./hooks.js', { parentURL: import.meta.url, data, transferList: [port2] }))
  graph = new ModuleGraph(port1)
  return graph
}

/** Node 20 does not know this one: there the hooks ask for source maps when the first module needs one. */
interface NewerModule {
  /** Source maps, those of `node_modules` excluded. From Node 22.14 on. */
  setSourceMapsSupport?(enabled: boolean): void
}

function enableProjectMaps(): void {
  const newer: typeof nodeModule & NewerModule = nodeModule
  newer.setSourceMapsSupport?.(true)
}

/** Node 26 advises against `register` in favour of `registerHooks`, which Node 20 does not have. Users need not hear it. */
function withoutDeprecation(run: () => void): void {
  const before = process.noDeprecation
  process.noDeprecation = true
  try {
    run()
  } finally {
    if (before === undefined) Reflect.deleteProperty(process, 'noDeprecation')
    else process.noDeprecation = before
  }
}
