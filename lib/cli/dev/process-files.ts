import { relative } from 'node:path'
import { type Watched, type Where, watchedOf } from '../../system/dev/known-files.js'
import { restartReason } from '../../system/dev/restart-reason.js'
import type { Loaded } from '../../system/loading/load-system.js'
import { CONFIG_OWNER } from '../../system/loading/module-graph.js'
import { registerTypeScript } from '../../system/loading/register-typescript.js'

/** The files that the processes of a system are made of: what a change of one means. */
export class ProcessFiles {
  readonly #where: Where
  readonly #loaded: Loaded
  readonly #files = new Map<string, readonly string[]>()

  constructor(where: Where, loaded: Loaded) {
    this.#where = where
    this.#loaded = loaded
  }

  /** Notes those of a process. */
  set(id: string, files: readonly string[]): void {
    this.#files.set(id, files)
  }

  /** All that is to be watched: what the description says, too. */
  async watched(): Promise<Watched> {
    const { files, folders } = await watchedOf(this.#where, this.#loaded)
    return { files: [...new Set([...files, ...[...this.#files.values()].flat()])], folders }
  }

  /** Whether a process is made of one of these files. */
  concern(id: string, files: readonly string[]): boolean {
    const own = this.#files.get(id) ?? []
    return files.some((file) => own.includes(file))
  }

  /** Why one of these files makes everything start anew; undefined if none does. */
  async restartReason(files: readonly string[]): Promise<string | undefined> {
    for (const file of files) {
      const owners = await registerTypeScript().ownersOf(file)
      if (owners.includes(CONFIG_OWNER)) return `${relative(this.#where.cwd, file)} has changed`
      const isOfProcess = [...this.#files.values()].some((own) => own.includes(file))
      const reason = isOfProcess ? undefined : restartReason(file, this.#where, this.#loaded)
      if (reason !== undefined) return reason
    }
    return undefined
  }
}
