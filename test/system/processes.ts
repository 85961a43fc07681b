import { type App, jsonLogger } from '../../lib/index.js'
import { AddressBook } from '../../lib/system/address-book.js'
import { defineSystem } from '../../lib/system/define-system.js'
import type { SystemDescription } from '../../lib/system/description.js'
import { type RunHooks, type Running, type RunOptions, runProcess } from '../../lib/system/run.js'
import type { Deployment } from '../../lib/system/system.js'
import { processesOf } from '../../lib/system/topology.js'

/** A secret that processes of a test share. */
export const SECRET = 'a-secret-of-a-test-only'

/** A service as a description has it, without a module. */
export function service(setup: (app: App, options: unknown) => unknown): () => Promise<unknown> {
  return async () => ({ name: 'in-a-test', setup })
}

/** A system whose processes run within a test. */
export class Processes {
  readonly addresses = new AddressBook()
  readonly #description: SystemDescription
  readonly #deployment: string
  readonly #running = new Set<Running>()
  /** What was logged, as objects. */
  readonly lines: { readonly level: number; readonly msg: string; readonly [key: string]: unknown }[] = []

  constructor(description: SystemDescription, deployment = 'split') {
    this.#description = description
    this.#deployment = deployment
  }

  /** Starts a process by its id. */
  async start(id: string, options: Partial<RunOptions> = {}, hooks: RunHooks = {}): Promise<Running> {
    const system = defineSystem(this.#description)
    const deployment = options.deployment ?? (system.deployments.get(this.#deployment) as Deployment)
    const process = processesOf(deployment).find((one) => one.id === id)
    if (process === undefined) throw new Error(`no process ${id}`)
    const running = await runProcess(
      {
        loaded: { system, file: undefined, folder: '/' },
        deployment,
        process,
        addresses: this.addresses,
        secret: SECRET,
        environment: { drainMs: 1000 },
        log: jsonLogger({ level: 'debug', write: (line) => this.lines.push(JSON.parse(line)) }),
        ...options,
      },
      hooks,
    )
    this.#running.add(running)
    return running
  }

  /** The texts of what was logged at a level. */
  logged(level: number): string[] {
    return this.lines.filter((line) => line.level === level).map(({ msg }) => msg)
  }

  async close(): Promise<void> {
    await Promise.all([...this.#running].map((running) => running.close().catch(() => {})))
  }
}

/** Resolves once a condition holds; looks again and again for so long. */
export async function until(holds: () => boolean | Promise<boolean>, limitMs = 5000): Promise<void> {
  const end = performance.now() + limitMs
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`not within ${limitMs} ms: ${holds}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
