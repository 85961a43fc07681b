import { basename } from 'node:path'
import { LuciliusError } from '../../errors.js'
import { defineSystem, isSystem } from '../define-system.js'
import type { SystemDescription } from '../description.js'
import type { System } from '../system.js'
import { chooseExport, exportsOf, listExports } from './choose-export.js'
import { findSystem } from './find-system.js'
import { firstLineOf } from './first-line.js'
import { importModule } from './import-module.js'
import { CONFIG_OWNER } from './module-graph.js'
import { registerTypeScript } from './register-typescript.js'

/** A system, and where it was found. */
export interface Loaded {
  readonly system: System
  /** The configuration; undefined where the folder `services` stands for one. */
  readonly file: string | undefined
  /** Paths of modules are relative to it. */
  readonly folder: string
}

/**
 * Finds and loads a system: `lucilius.config.{ts,mts,js,mjs}` in `cwd`, what `config` names (a file or a folder), or
 * every module in `services/`. The configuration exports it by default, as `system`, or as the only thing.
 *
 * Its files are known to the graph as those of `CONFIG_OWNER`. Rejects with `LUC_OPTIONS_INVALID`; the cause says where.
 */
export async function loadSystem(where: {
  readonly cwd: string
  readonly config?: string | undefined
}): Promise<Loaded> {
  const found = findSystem(where.cwd, where.config)
  if ('services' in found) {
    const { folder, services } = found
    return { system: defineSystem({ services }), file: undefined, folder }
  }
  const { file, folder } = found
  const exports = await registerTypeScript()
    .watch(CONFIG_OWNER, () => importModule(file), { seal: true })
    .catch((error) => {
      throw inFile(file, error)
    })
  const system = systemIn(file, exportsOf(exports as object)) // a module namespace
  return { system, file, folder: system.root ?? folder }
}

function systemIn(file: string, exports: ReadonlyMap<string, unknown>): System {
  const chosen = chooseExport(exports, ['system'], isDescription)
  if (chosen === undefined) {
    throw wrong(file, `export default defineSystem({ services: … }) is missing; ${listExports(exports)}.`)
  }
  if (isSystem(chosen)) return chosen
  try {
    return defineSystem(chosen as SystemDescription) // what is wrong in it, it says itself
  } catch (error) {
    throw inFile(file, error)
  }
}

function isDescription(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** What is wrong in a description is a line each; anything else is one line. */
function inFile(file: string, error: unknown): LuciliusError {
  if (!(error instanceof LuciliusError)) return wrong(file, firstLineOf(error), error)
  const lines = error.message.split('\n').map((line) => `${basename(file)}: ${line}`)
  return new LuciliusError(error.code, lines.join('\n'), { cause: error, details: error.details })
}

function wrong(file: string, why: string, cause?: unknown): LuciliusError {
  return new LuciliusError('LUC_OPTIONS_INVALID', `${basename(file)}: ${why}`, { cause })
}
