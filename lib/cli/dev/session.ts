import type { Watched } from '../../system/dev/known-files.js'
import type { Failure } from '../../system/dev/outcome.js'
import { Changes } from './changes.js'
import { DevChild, type DevEnd } from './dev-child.js'
import type { DevEvents } from './dev-run.js'
import type { Assignment } from './messages.js'
import type { Watch } from './watch.js'
import type { Words } from './words.js'

/** Milliseconds that a process which is to be replaced gets for what runs and for its hooks. */
const REPLACED_MS = 2500

/** Milliseconds that it gets at the end. `LUCILIUS_DRAIN_MS` is on top of them. */
const END_MS = 15_000

const noReason: Failure = { message: 'The process that was to run the system ended without a word.' }

/** What a session is made of. */
export interface SessionOptions {
  readonly assignment: Omit<Assignment, 'ports'>
  readonly words: Words
  /** Makes the watcher, once there is something to watch. */
  readonly watch: (changes: Changes) => Promise<Watch>
  readonly drainMs: number | undefined
  /** Hears what services send; whatever was told by a process before comes again from the next one. */
  readonly sent: DevEvents['sent']
  /** Somebody is there to mend what keeps it from starting; nobody is, where a script runs it. */
  readonly hasPerson: boolean
}

/** How a session ended. */
export type SessionEnd = { readonly refused: Failure; readonly usage: boolean } | { readonly hung: readonly string[] }

/** Keeps a system running while its files change, from the first start until it is told to end. */
export class Session {
  readonly #options: SessionOptions
  readonly #changes = new Changes()
  readonly #program: 'whole' | 'split'
  #child: DevChild
  #next: DevChild | undefined
  #watch: Promise<Watch> | undefined
  #ports: readonly number[] = []
  #stop: () => void = () => {}
  readonly #stopped: Promise<'stopped'>

  constructor(options: SessionOptions) {
    this.#options = options
    this.#program = options.assignment.split === undefined ? 'whole' : 'split'
    this.#child = this.#launch()
    this.#stopped = new Promise((resolve) => {
      this.#stop = () => resolve('stopped')
    })
  }

  /** Runs until it is told to end. Resolves when no process is left. */
  async run(): Promise<SessionEnd> {
    let isFirst = true
    for (;;) {
      const ended = await this.#live(isFirst)
      isFirst = false
      if (ended === 'stopped') return this.#end()
      if (typeof ended === 'object') {
        await this.#close()
        return ended
      }
      if (ended === 'down' && (await Promise.race([this.#changes.wait(), this.#stopped])) === 'stopped')
        return this.#end()
      this.#changes.take()
      // It gets ready while the other one ends.
      this.#next = this.#launch()
      await this.#child.stop(REPLACED_MS + (this.#options.drainMs ?? 0))
      this.#child = this.#next
      this.#next = undefined
    }
  }

  /** Lets what runs finish, and ends. */
  end(): void {
    this.#stop()
  }

  /** Ends at once. */
  kill(): void {
    this.#child.kill()
    this.#next?.kill()
  }

  /** One process, from its start until another one has to take its place. */
  async #live(isFirst: boolean): Promise<'down' | 'again' | 'stopped' | SessionEnd> {
    const { words, assignment } = this.#options
    const child = this.#child
    const startedAt = performance.now()
    void this.#watch?.then((watch) => watch.reading())
    child.go({ ...assignment, ports: this.#ports })
    const about = await Promise.race([child.ready, this.#stopped, this.#changes.wait().then(() => 'changed' as const)])
    if (about === 'stopped') return about
    if (about === 'changed') return 'again'
    if (about === undefined) return this.#died(await child.ended, isFirst)
    words.ready(about, isFirst ? 0 : startedAt, this.#program === 'split')
    this.#ports = about.doors.map(({ url }) => Number(new URL(url).port))
    return this.#follow(child)
  }

  /** Hands changes to a process that runs. */
  async #follow(child: DevChild): Promise<'down' | 'again' | 'stopped' | SessionEnd> {
    const { words } = this.#options
    for (;;) {
      const ended = child.ended.then((end) => ({ end }))
      const news = await Promise.race([this.#changes.wait(), this.#stopped, ended])
      if (news === 'stopped') return news
      if (news !== undefined) return this.#died(news.end, false)
      const files = this.#changes.take()
      const startedAt = performance.now()
      void this.#watch?.then((watch) => watch.reading())
      const changed = await Promise.race([child.change(files), this.#stopped])
      if (changed === 'stopped') return changed
      if (changed === undefined) return this.#died(await child.ended, false)
      if (changed === 'busy') {
        words.say('the process is busy with something that does not end: it is killed, and started again')
        child.kill()
        return 'again'
      }
      const { outcome, doors } = changed
      words.changed(files, outcome, startedAt, this.#program === 'split')
      if (outcome.restart !== undefined) {
        words.say(`${outcome.restart}: everything starts again`)
        return 'again'
      }
      if (outcome.done.length > 0) words.doors(doors)
    }
  }

  #died(end: DevEnd, isFirst: boolean): 'down' | SessionEnd {
    const { usage, failure } = end
    if (isFirst && (usage || !this.#options.hasPerson)) return { refused: failure ?? noReason, usage }
    this.#ports = end.failure?.message.includes('EADDRINUSE') ? [] : this.#ports
    this.#options.words.died(end)
    return 'down'
  }

  #launch(): DevChild {
    return new DevChild(this.#program, { known: (watched) => this.#know(watched), sent: this.#options.sent })
  }

  #know(watched: Watched): void {
    this.#watch ??= this.#options.watch(this.#changes)
    void this.#watch.then((watch) => watch.set(watched))
  }

  async #end(): Promise<SessionEnd> {
    const { hung } = await this.#child.stop(END_MS + (this.#options.drainMs ?? 0))
    await this.#close()
    return { hung }
  }

  async #close(): Promise<void> {
    await (await this.#watch)?.close()
  }
}
