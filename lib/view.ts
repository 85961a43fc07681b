import type { App, ConnectOptions, ListenOptions, PeerConnection } from './app.js'
import type { Core } from './core.js'
import { toActOptions } from './dispatch/act-options.js'
import { untilReady } from './early.js'
import { LuciliusError } from './errors.js'
import { explain, infoOf, list } from './explain.js'
import type { PatternLike } from './handler.js'
import { isMessage } from './message.js'
import { toPattern } from './pattern.js'
import type { NamedPlugin } from './plugin.js'
import { PluginUse, type Tenure } from './plugin-use.js'
import { portableCopy } from './portable.js'
import { Registrar } from './registrar.js'
import type { Listener, Transport } from './transport.js'

/** The app as one plugin sees it: what it adds belongs to it. Its functions may be taken apart. */
export function viewOf(core: Core, own: PluginUse): App {
  const { dispatcher, events, life, settings, connections } = core
  const { name: service, log, tenure } = own
  const registrar = new Registrar(core, own)

  /** A message as it is when it is sent, whatever the caller does to it while it waits. */
  const kept = (value: unknown): unknown => {
    if (!isMessage(value) || Object.hasOwn(value, '__proto__')) return value
    return settings.strict ? portableCopy(value, 'message') : { ...value }
  }

  const act = (first: unknown, data?: unknown, options?: unknown): Promise<unknown> => {
    if (life.phase !== 'open' && life.phase !== 'starting') return actLater(first, data, options)
    core.warnInsideHandler()
    return dispatcher.act(undefined, first, data, options)
  }

  const actLater = async (first: unknown, data: unknown, options: unknown): Promise<unknown> => {
    const wish = options === undefined ? {} : toActOptions(options)
    const [whole, beside] = [kept(first), kept(data)]
    dispatcher.messageOf(whole, beside)
    const timeoutMs = await untilReady(core, wish.timeoutMs ?? settings.timeoutMs, wish.signal)
    return dispatcher.act(undefined, whole, beside, { ...wish, timeoutMs })
  }

  const emit = (first: unknown, data?: unknown, options?: unknown): Promise<void> => {
    if (life.phase !== 'open' && life.phase !== 'starting') return emitLater(first, data, options)
    return events.emit(undefined, first, data, options)
  }

  const emitLater = async (first: unknown, data: unknown, options: unknown): Promise<void> => {
    const [whole, beside] = [kept(first), kept(data)]
    await untilReady(core, settings.timeoutMs)
    return events.emit(undefined, whole, beside, options)
  }

  const view = {
    name: settings.name,
    log,
    ...(core.running === undefined ? { act, emit } : watched(core, own, act, emit)),
    add: (pattern: PatternLike, ...rest: [unknown, unknown?]) => {
      const [options, handler] = withOptions(rest)
      return registrar.add(pattern, options, handler)
    },
    on: (pattern: PatternLike, ...rest: [unknown, unknown?]) => {
      const [options, handler] = withOptions(rest)
      return registrar.on(pattern, options, handler)
    },
    event: (pattern: PatternLike, options: unknown) => registrar.event(pattern, options),
    wrap: (pattern: PatternLike, ...rest: [unknown, unknown?]) => {
      const [options, middleware] = withOptions(rest)
      return registrar.wrap(pattern, options, middleware)
    },
    use: (plugin: unknown, options?: unknown, as?: unknown) => {
      use(core, own, plugin, options, as)
      return view
    },
    onReady: (hook: () => unknown) => {
      checkHook('onReady', hook)
      const isStarted = tenure.boot === core.boot ? life.phase === 'open' : !isNew(tenure)
      if (isStarted) throw tooLate('onReady', 'call the function itself')
      tenure.boot.onReady(service, hook)
    },
    onClose: (hook: () => unknown) => {
      checkHook('onClose', hook)
      if (life.phase === 'closed') throw tooLate('onClose', 'the app is closed')
      if (tenure.standing === 'out') throw tooLate('onClose', `the plugin '${service}' has been replaced`)
      core.hooks.add({ name: service, hook, order: tenure.orders.next(), tenure })
    },
    listen: async (transport: Transport, options: ListenOptions) => {
      connections.check(transport, options)
      // A hook that starts the app may listen, as it may act.
      if (life.phase !== 'starting') await untilReady(core, settings.timeoutMs)
      return opened(core, own, await connections.listen(transport, options))
    },
    connect: async (transport: Transport, options?: ConnectOptions) => {
      if (life.phase === 'draining' || life.phase === 'closed') throw life.closed()
      // What failed to start has been closed: a connection made now never would be.
      if (life.phase === 'failed') await life.ready()
      return opened(core, own, await connections.connect(transport, options))
    },
    find: (message: PatternLike) => {
      const top = dispatcher.actions.router.find(dispatcher.messageOf(message, undefined))?.top
      return top && infoOf(top)
    },
    list: (pattern?: PatternLike) => list(pattern === undefined ? undefined : toPattern(pattern), dispatcher.actions),
    explain: (message: PatternLike) =>
      explain(
        dispatcher.messageOf(message, undefined),
        dispatcher.actions,
        dispatcher.composition.wraps,
        connections.listeners,
      ),
    ready: () => life.ready(),
    close: () => life.close(),
    [Symbol.asyncDispose]: () => life.close(),
  }
  // The types of messages and replies exist for the compiler only; at run time patterns and messages are checked.
  return view as unknown as App
}

/** What a plugin may send in an app that somebody runs: it is heard, and comes to an end when the plugin is replaced. */
function watched(
  core: Core,
  own: PluginUse,
  act: Send<unknown>,
  emit: Send<void>,
): { act: Send<unknown>; emit: Send<void> } {
  const { name, tenure } = own
  const hear = own === core.self ? undefined : core.hear
  const isGone = () => tenure.standing === 'out'
  const gone = () =>
    new LuciliusError('LUC_SERVICE_CLOSED', `Plugin '${name}' has been replaced, and sends nothing more.`)
  return {
    act: (first, data, options) => {
      if (isGone()) return Promise.reject(gone())
      hear?.(name, 'act', first, data)
      // Its own work under way, and its own start, need not wait for it.
      if (core.gate === undefined || tenure.standing === 'in') return act(first, data, options)
      return core.gate.through(() => act(first, data, options))
    },
    emit: (first, data, options) => {
      if (isGone()) return Promise.reject(gone())
      hear?.(name, 'emit', first, data)
      return emit(first, data, options)
    },
  }
}

type Send<T> = (first: unknown, data?: unknown, options?: unknown) => Promise<T>

/** Notes what a plugin opened, and forgets what has been closed since. */
async function opened<T extends Listener | PeerConnection>(core: Core, own: PluginUse, one: T): Promise<T> {
  for (const other of own.opened) if (!core.connections.isOpen(other)) own.opened.delete(other)
  own.opened.add(one)
  // It was replaced meanwhile.
  if (own.tenure.standing === 'out') await one.close()
  return one
}

/** Whether it has yet to be started. */
function isNew({ standing }: Tenure): boolean {
  return standing === 'staged' || standing === 'starting'
}

function use(core: Core, own: PluginUse, plugin: unknown, options: unknown, as: unknown): void {
  const { tenure } = own
  const { phase } = core.life
  if (tenure.boot === core.boot ? phase !== 'new' && phase !== 'loading' : tenure.standing !== 'staged') {
    throw new LuciliusError(
      'LUC_PLUGIN_INVALID',
      'The app has loaded its plugins: call app.use before app.ready, act and listen.',
    )
  }
  const { name, setup } = core.plugins.admit(plugin, as)
  const log = core.settings.log.child({ service: name })
  const isFirst = own === core.self
  const used = isFirst ? new PluginUse(name, log, { ...tenure }) : new PluginUse(name, log, tenure, own)
  if (isFirst) core.uses.set(name, used)
  setUp(core, used, setup, options)
}

/** Queues the set-up of a plugin. */
export function setUp(core: Core, used: PluginUse, setup: NamedPlugin['setup'], options: unknown): void {
  const view = viewOf(core, used)
  used.tenure.boot.use(used.name, () => {
    // One that takes the place of another has it already.
    if (used.place === 0) used.place = used.tenure.orders.next()
    return setup(view, options)
  })
}

/** `(pattern, function)` or `(pattern, options, function)`. */
function withOptions([first, second]: readonly [unknown, unknown?]): [unknown, unknown] {
  return second === undefined && (typeof first === 'function' || first === undefined) ? [{}, first] : [first, second]
}

function checkHook(where: string, hook: unknown): void {
  if (typeof hook === 'function') return
  throw new LuciliusError(
    'LUC_HANDLER_INVALID',
    `${where}: expected a function, got ${hook == null ? String(hook) : `a ${typeof hook}`}.`,
  )
}

function tooLate(where: string, way: string): LuciliusError {
  return new LuciliusError('LUC_PLUGIN_INVALID', `${where} comes too late: ${way}.`)
}
