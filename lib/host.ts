import type { App } from './app.js'
import { Core } from './core.js'
import type { HearPassed } from './dispatch/passed.js'
import { Running } from './dispatch/running.js'
import type { PatternLike } from './handler.js'
import type { Message } from './message.js'
import { type AppOptions, toSettings } from './options.js'
import { replace } from './replacement.js'
import type { OpenStore } from './store.js'
import { viewOf } from './view.js'

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
  /** Tells of connections that come and go at level `debug`: whoever runs both ends tells what became of them. */
  readonly quietConnections?: boolean
}

/** What the plugins have registered, as plain data in the order of registration; patterns are canonical texts. */
export interface Inventory {
  /** The plugins, and in whose set-up each is used: undefined for those that stand by themselves. */
  readonly plugins: readonly { readonly name: string; readonly within: string | undefined }[]
  readonly actions: readonly { readonly pattern: string; readonly service: string; readonly idempotent: boolean }[]
  /** `durable` is the name of a durable one, without the service: `<service>.<durable>` is what the store calls it. */
  readonly subscriptions: readonly {
    readonly pattern: string
    readonly service: string
    readonly each: boolean
    readonly durable?: string
  }[]
  /** Events that are declared to be kept. */
  readonly events: readonly {
    readonly pattern: string
    readonly service: string
    readonly durable: boolean
    readonly retain: boolean
  }[]
  readonly wraps: readonly { readonly pattern: string; readonly service: string; readonly at: 'handler' | 'caller' }[]
}

/** An app with the handles that a runner needs and that no service must have. */
export interface Host {
  readonly app: App
  /** The id by which peers know this one process: `instance` of their `PeerInfo`. */
  readonly instance: string
  /** Runs the set-ups, and starts nothing. Rejects with `LUC_PLUGIN_FAILED` and `LUC_PLUGIN_INVALID`. `ready` goes on from there. */
  load(): Promise<void>
  /** What the plugins of this app have registered; nothing learned from peers. */
  inventory(): Inventory
  /** The store of the app, opened if it was not yet; undefined if it has none. Rejects as `app.ready` does because of it. */
  store(): Promise<OpenStore | undefined>
  /** Whether its store may hold anything by now, without opening it if that can be told; undefined if it has none. */
  mayHold(): Promise<boolean | undefined>
  /** The canonical patterns of the acts and events whose handlers run now, one for each. */
  running(): readonly string[]
  /** Until something settles, acts that nobody answers wait as while a connection is not known yet. Settles as that does. */
  expect(coming: Promise<void>): Promise<void>
  /** Tells of each act and event that a handler here has ended, until the returned function is called. */
  onPassed(hear: HearPassed): () => void
  /**
   * Puts another plugin of a running app in the place of one, under its name. The new one is set up beside the old one;
   * handlers of the old one that run get `drainMs` to finish, and are cut off then, while messages for it wait; then its
   * onClose hooks run, what it registered is exchanged for what the new one registers, and the onReady hooks of that run.
   *
   * Rejects with `LUC_PLUGIN_FAILED`. After a set-up that fails the old plugin runs on as if nothing were; only if the
   * start of the new one fails the place is empty, and may be filled again.
   */
  replace(name: string, plugin: unknown, options?: unknown): Promise<void>
}

/** Makes an app for somebody who runs it: what `lucilius(options)` makes, with its handles. Throws `LUC_OPTIONS_INVALID`. */
export function hostApp(options: AppOptions, { onSend, quietConnections = false }: HostOptions = {}): Host {
  const running = new Running()
  const core: Core = new Core(toSettings(options), {
    running,
    quietConnections,
    hear: onSend && ((service, kind, first, data) => tell(core, onSend, service, kind, first, data)),
  })
  return {
    app: viewOf(core, core.self),
    instance: core.settings.instance,
    load: () => core.life.load(),
    inventory: () => inventoryOf(core),
    store: async () => (core.store.isThere ? core.store.open() : undefined),
    mayHold: async () => (core.store.isThere ? core.store.mayHold() : undefined),
    running: () => running.actions.map(({ pattern }) => pattern.text),
    expect: (coming) => core.connections.expect(coming),
    onPassed: (hear) => running.hear(hear),
    replace: (name, plugin, given) => replace(core, running, name, plugin, given),
  }
}

function tell(
  { dispatcher }: Core,
  onSend: NonNullable<HostOptions['onSend']>,
  service: string,
  kind: Sending['kind'],
  first: unknown,
  data: unknown,
): void {
  let message: Message
  try {
    message = dispatcher.messageOf(first, data)
  } catch {
    return // What is no message is not sent: whoever sends it hears of it.
  }
  // It was just found to be text or an object.
  onSend({ service, kind, pattern: first as PatternLike, message })
}

function inventoryOf({ dispatcher, events, uses }: Core): Inventory {
  const { actions, wraps } = dispatcher.composition
  const here = inOrder([...actions.all()].filter(({ remote }) => remote === undefined))
  const observers = [
    ...[...events.subscriptions.all()].map((one) => ({ ...one, names: {} })),
    ...events.durables.all().map((one) => ({ ...one, each: false, names: { durable: one.durable } })),
  ].sort((a, b) => a.action.order - b.action.order)
  const plugins = [...uses.values()].flatMap((use) => [...use.all()])
  return {
    plugins: plugins.map(({ name, within }) => ({ name, within: within?.name })),
    actions: here.map(({ pattern, service, options }) => ({
      pattern: pattern.text,
      service,
      idempotent: options.idempotent === true,
    })),
    subscriptions: observers.map(({ pattern, service, each, names }) => ({
      pattern: pattern.text,
      service,
      each,
      ...names,
    })),
    events: inOrder([...events.declarations.all()]).map(({ pattern, service, durable, retain }) => ({
      pattern: pattern.text,
      service,
      durable,
      retain,
    })),
    wraps: inOrder([...wraps.all]).map(({ pattern, service, at }) => ({ pattern: pattern.text, service, at })),
  }
}

function inOrder<T extends { readonly order: number }>(list: T[]): T[] {
  return list.sort((a, b) => a.order - b.order)
}
