import { existsSync, readdirSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { type FSWatcher, watch } from 'chokidar'
import type { Watched } from '../../system/dev/known-files.js'
import { isSetting } from '../../system/dev/restart-reason.js'

/** Milliseconds in which a folder that comes is filled, and looked through. */
const FOLDER_MS = 100

/** Who hears of changes. */
export interface Watching {
  /** A file that counts was written, made or removed. */
  changed(file: string): void
  /** Something cannot be watched. */
  failed(error: Error): void
}

/**
 * Watches files by the folders that they are in: a file that is replaced, or is not there yet, is seen as well as one
 * that is written to.
 */
export class Watch {
  readonly #watching: Watching
  readonly #watcher: FSWatcher
  readonly #root: string
  #files: ReadonlySet<string> = new Set()
  #folders: ReadonlySet<string> = new Set()
  readonly #watched = new Set<string>()
  #isReady: boolean = false
  #since: number

  /** `root` is the folder of the description, `since` the moment at which its files were first read. */
  constructor(root: string, since: number, watching: Watching) {
    this.#root = root
    this.#since = since
    this.#watching = watching
    this.#watcher = watch([], {
      depth: 0,
      ignoreInitial: true,
      ignored: (path, stats) => stats?.isFile() === true && !this.#mayCount(path),
    })
    this.#watcher.on('all', (event, path) => this.#heard(event, path))
    this.#watcher.on('error', (error) => watching.failed(error as Error))
    this.#watcher.on('ready', () => {
      this.#isReady = true
      this.#lookBack(new Set([...this.#files, ...this.#there()]))
    })
  }

  get size(): number {
    return this.#files.size
  }

  /** Sets what is to be watched from now on. Files that are new and were written since the last reading have changed. */
  set({ files, folders }: Watched): void {
    const added = files.filter((file) => !this.#files.has(file))
    this.#files = new Set(files)
    this.#folders = new Set(folders)
    this.#follow()
    if (this.#isReady) this.#lookBack(added)
  }

  /** Files are read from now on. */
  reading(): void {
    this.#since = Date.now()
  }

  close(): Promise<void> {
    return this.#watcher.close()
  }

  /** Watches the folders that are there, and gives those that are new. */
  #follow(): readonly string[] {
    const wanted = new Set([this.#root, ...this.#folders, ...[...this.#files].map((file) => dirname(file))])
    const places = new Set([...wanted].map(nearestFolder))
    const added = [...places].filter((place) => !this.#watched.has(place))
    for (const place of added) this.#watched.add(place)
    if (added.length > 0) this.#watcher.add(added)
    return added
  }

  #heard(event: string, path: string): void {
    if (event === 'addDir' || event === 'unlinkDir') this.#folder(event, path)
    else if (this.#counts(path)) this.#watching.changed(path)
  }

  /** A folder that comes is watched, and what came with it has changed: nobody was there to see it. */
  #folder(event: string, path: string): void {
    if (event === 'unlinkDir') this.#watched.delete(path)
    const added = this.#follow()
    if (event === 'unlinkDir' || added.length === 0) return
    const look = () => {
      for (const file of this.#files) {
        if (added.includes(dirname(file)) && existsSync(file)) this.#watching.changed(file)
      }
    }
    // A checkout writes the files after the folder.
    setTimeout(look, FOLDER_MS).unref()
  }

  #counts(file: string): boolean {
    if (this.#files.has(file)) return true
    const folder = dirname(file)
    if (this.#folders.has(folder)) return isModule(file)
    return folder === this.#root && (isSetting(basename(file)) || isDescription(basename(file)))
  }

  /** Whether it counts, or may by the time that it changes. */
  #mayCount(file: string): boolean {
    return this.#files.has(file) || isModule(file) || isSetting(basename(file)) || file.endsWith('.json')
  }

  /** The files that count in the folders that are watched: what came before the watcher was ready it does not tell. */
  #there(): readonly string[] {
    const folders = [this.#root, ...this.#folders].filter((folder) => existsSync(folder))
    const files = folders.flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)))
    return files.filter((file) => this.#counts(file))
  }

  #lookBack(files: Iterable<string>): void {
    for (const file of files) {
      const found = statSync(file, { throwIfNoEntry: false })
      if (found !== undefined && found.mtimeMs > this.#since) this.#watching.changed(file)
    }
  }
}

function nearestFolder(folder: string): string {
  return existsSync(folder) || dirname(folder) === folder ? folder : nearestFolder(dirname(folder))
}

function isModule(file: string): boolean {
  return /[.][cm]?[jt]s$/.test(file)
}

function isDescription(name: string): boolean {
  return /^lucilius[.]config[.]m?[jt]s$/.test(name)
}
