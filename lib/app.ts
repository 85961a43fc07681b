/// <reference lib="esnext.disposable" preserve="true" />
import type { Auth, Authenticate } from './auth.js'
import type { ActionInfo, Explanation } from './explain.js'
import type { PatternLike, PeerInfo } from './handler.js'
import type { Logger } from './logger.js'
import type { EventExposure, PatternList } from './peers/exposure.js'
import type { PluginObject, PluginSetup } from './plugin.js'
import type { Audience, Listener, Transport } from './transport.js'
import type { Mode } from './typed/contract.js'
import type { Events, Patterns } from './typed/registry.js'
import type { Typed } from './typed/typed.js'

/** What a listener lets in. */
export interface ListenOptions {
  /** Patterns with exactly the keys of the actions they let in (values may be globs), or `'*'`. There is no default. */
  readonly expose: PatternList
  /** Events that pass: `in` from the other side, `out` from here. None by default. */
  readonly events?: EventExposure
  /** Finds out who connects. A listener for peers needs it unless it is on loopback or in this process. */
  readonly auth?: Auth | Authenticate
  /** Who connects. `clients` learn nothing of what there is; only `peers` do. The transport says what is the default. */
  readonly audience?: Audience
}

/** What a connection takes and gives. */
export interface ConnectOptions {
  /** Which patterns the peer may announce; all unless given. */
  readonly accept?: PatternList
  /** Own actions that the peer may act on over this connection; none unless given. */
  readonly expose?: PatternList
  /** Events that pass; all that either side observes, as far as the listener lets them, unless given. */
  readonly events?: EventExposure
  /** What proves who this app is: `sharedSecret('…')`; with `mutual` the listener proves itself, too. */
  readonly auth?: Auth
  /** What a peer answers that cannot tell, because it is no lucilius app but speaks the wire format. */
  readonly patterns?: readonly PatternLike[]
  /** `false` returns at once instead of when the peer is known. */
  readonly wait?: boolean
}

/** A kept connection to a peer. */
export interface PeerConnection {
  /** Who is at the other end; undefined until it is known, and where a broker leads to many. */
  readonly peer: PeerInfo | undefined
  /** Closes the connection and forgets what was learned over it. */
  close(): Promise<void>
}

/** A plugin: a function `(app, options)`, or an object with a name, needs and a `setup`. */
// biome-ignore lint/suspicious/noExplicitAny: a plugin that does not care fits apps of every registry
export type Plugin<O = any, A = App<any, any, any>> = PluginSetup<A, O> | PluginObject<A, O>

/** How a plugin is used. */
export interface UseOptions {
  /** The name of this use, where the plugin's own is taken. */
  readonly as?: string
}

/**
 * A router, its plugins and its life: what `lucilius()` makes, and what a plugin gets as its own view of it.
 *
 * `R` and `E` are the registries of actions and events; in `strict` mode only what they name type-checks.
 */
export interface App<R = Patterns, E = Events, M extends Mode = 'open'> extends Typed<R, E, M> {
  /** The name of the app. */
  readonly name: string
  /** The logger, which names the app and, in a plugin's view, the plugin. */
  readonly log: Logger
  /**
   * Queues a plugin. Its set-up runs when the app becomes ready, in order, a plugin used by a plugin within it.
   * Throws `LUC_PLUGIN_INVALID`.
   */
  // biome-ignore lint/suspicious/noExplicitAny: a plugin may be written for an app of any registry
  use<O, A extends App<any, any, any> = App<R, E, M>>(plugin: Plugin<O, A>, options?: O, use?: UseOptions): this
  /** Queues a function that starts timers and sockets, after every set-up. It may act. */
  onReady(hook: () => unknown): void
  /** Queues a function that releases what was started, after running work has ended; the last one runs first. */
  onClose(hook: () => unknown): void
  /** Lets others in, once the app is ready. Rejects with `LUC_EXPOSE_REQUIRED`, `LUC_OPTIONS_INVALID`, `LUC_LISTEN_FAILED`. */
  listen(transport: Transport, options: ListenOptions): Promise<Listener>
  /**
   * Connects to a peer, learns what it answers and follows its changes. Resolves once it is known, and keeps trying until
   * then. Over a broker it connects to everybody who listens, now and later, and resolves once those that are there are
   * known. Rejects with what no second try changes: `LUC_OPTIONS_INVALID`, a refusal (`LUC_FORBIDDEN`,
   * `LUC_UNAUTHENTICATED`), another version of the wire format (`LUC_WIRE_INVALID`).
   */
  connect(transport: Transport, options?: ConnectOptions): Promise<PeerConnection>
  /** The action that would answer a message, as plain data. */
  find(message: PatternLike): ActionInfo | undefined
  /** The actions that a pattern covers, or all, the most specific first. */
  list(pattern?: PatternLike): ActionInfo[]
  /** What would happen to a message, and why. */
  explain(message: PatternLike): Explanation
  /**
   * Sets up and starts the plugins, once; acts and listeners wait for it. Rejects with `LUC_PLUGIN_FAILED`, and with
   * `LUC_STORE_REQUIRED` or `LUC_STORE_FAILED` if what must be kept cannot be.
   */
  ready(): Promise<void>
  /** Refuses new work, lets running work finish for `drainMs`, aborts what is left, and runs the onClose hooks. */
  close(): Promise<void>
  /** The same as `close`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>
}
