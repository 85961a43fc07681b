/**
 * Who imports whom, and which version of each file is next. Kept in the thread of the hooks, which see every import.
 * Files are named by their urls without a query.
 *
 * An owner is whatever a load was made for: the configuration, a service, a plugin.
 */
export class ImportRecords {
  /** What each file imported when it was loaded last, and since then. */
  readonly #imports = new Map<string, Set<string>>()
  readonly #versions = new Map<string, number>()
  readonly #loaded = new Map<string, number>()
  /** Files whose later imports are made for somebody else: import functions in a configuration. */
  readonly #sealed = new Set<string>()
  /** What was imported while each owner was loaded. */
  readonly #roots = new Map<string, Set<string>>()
  #open: string | undefined
  #last = 0

  /** Notes an import. The version is that of the importing module: an old one says nothing about what is there now. */
  imported(child: string, parent: string | undefined, version: number): void {
    if (this.#open !== undefined) this.#roots.get(this.#open)?.add(child)
    const loaded = parent === undefined ? undefined : this.#loaded.get(parent)
    // A file that was imported before the hooks were there is not loaded again either.
    if (parent === undefined || loaded === undefined || version < loaded || this.#sealed.has(parent)) return
    const children = this.#imports.get(parent)
    if (children === undefined) this.#imports.set(parent, new Set([child]))
    else children.add(child)
  }

  /** A version of a file is being loaded: what an older one imported no longer counts. */
  loading(file: string, version: number): void {
    if (version < (this.#loaded.get(file) ?? 0)) return
    this.#loaded.delete(file) // so that the file loaded last stands last
    this.#loaded.set(file, version)
    this.#imports.set(file, new Set())
    this.#sealed.delete(file)
  }

  /** The version that an import of a file gets. */
  version(file: string): number {
    return this.#versions.get(file) ?? 0
  }

  /** From now on imports are made for this owner, which has none from before. */
  begin(owner: string): void {
    this.#open = owner
    this.#roots.set(owner, new Set())
  }

  /** The owner is loaded. `seal`: what its files import from now on is not theirs. */
  end(seal: boolean): void {
    const owner = this.#open
    this.#open = undefined
    if (owner === undefined || !seal) return
    for (const file of this.reach(owner)) this.#sealed.add(file)
  }

  /** Forgets an owner. */
  forget(owner: string): void {
    this.#roots.delete(owner)
  }

  /** The files that an owner reaches. */
  reach(owner: string): Set<string> {
    return closure(this.#roots.get(owner) ?? [], (file) => this.#imports.get(file) ?? [])
  }

  /** The owners that reach a file. */
  owners(file: string): string[] {
    return [...this.#roots.keys()].filter((owner) => this.reach(owner).has(file))
  }

  /** The files that were loaded, in that order. */
  loaded(): string[] {
    return [...this.#loaded.keys()]
  }

  /** Gives these files and all that import them a new version. Returns those that were given one. */
  refresh(files: readonly string[]): string[] {
    const importers = reversed(this.#imports)
    const stale = [...closure(files, (file) => importers.get(file) ?? [])]
    this.#last += 1
    for (const file of stale) this.#versions.set(file, this.#last)
    return stale
  }
}

function closure(start: Iterable<string>, next: (file: string) => Iterable<string>): Set<string> {
  const found = new Set(start)
  // A set is walked in the order of insertion, what is added on the way included.
  for (const file of found) for (const other of next(file)) found.add(other)
  return found
}

function reversed(imports: ReadonlyMap<string, Iterable<string>>): Map<string, string[]> {
  const importers = new Map<string, string[]>()
  for (const [parent, children] of imports) {
    for (const child of children) {
      const parents = importers.get(child)
      if (parents === undefined) importers.set(child, [parent])
      else parents.push(parent)
    }
  }
  return importers
}
