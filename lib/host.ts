import type { App } from './app.js'
import type { PatternLike } from './handler.js'
import type { AppOptions } from './options.js'

/** A message that a service sends. */
export interface Sending {
  /** The service that sends it: the plugin in whose view or handler `act` or `emit` was called. */
  readonly service: string
  readonly kind: 'act' | 'emit'
  /** The pattern as it was written, where the call had one beside the message; else the whole message. */
  readonly pattern: PatternLike
  /** What is sent, the pattern's pairs in it. */
  readonly message: { readonly [key: string]: unknown }
}

/** What a runner may ask of an app beyond what its options say. */
export interface HostOptions {
  /** Hears of every message that a service sends with `act` or `emit`, before it is sent. Must not throw. */
  readonly onSend?: (sending: Sending) => void
}

/** What the plugins have registered, as plain data; patterns are canonical texts. */
export interface Inventory {
  readonly actions: readonly { readonly pattern: string; readonly service: string; readonly idempotent: boolean }[]
  readonly subscriptions: readonly { readonly pattern: string; readonly service: string; readonly each: boolean }[]
  readonly wraps: readonly { readonly pattern: string; readonly service: string; readonly at: 'handler' | 'caller' }[]
}

/** An app with the handles that a runner needs and that no service must have. */
export interface Host {
  readonly app: App
  /** Runs the set-ups, and starts nothing. Rejects with `LUC_PLUGIN_FAILED` and `LUC_PLUGIN_INVALID`. `ready` goes on from there. */
  load(): Promise<void>
  /** What the plugins of this app have registered; nothing learned from peers. */
  inventory(): Inventory
  /** The canonical patterns of the acts and events whose handlers run now, one for each. */
  running(): readonly string[]
  /**
   * Takes a plugin of a running app out and puts another in its place under its name: its onClose hooks run, what it
   * registered goes (handlers that run finish), then the new one is set up and its onReady hooks run. Acts that match
   * nothing in between are parked. Rejects with `LUC_PLUGIN_FAILED`; the place is empty then, and may be filled again.
   */
  replace(name: string, plugin: unknown, options?: unknown): Promise<void>
}

export declare function hostApp(options: AppOptions, host?: HostOptions): Host
