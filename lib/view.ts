import type { App, ConnectOptions, ListenOptions } from './app.js'
import type { Core } from './core.js'
import { toActOptions } from './dispatch/act-options.js'
import { untilReady } from './early.js'
import { LuciliusError } from './errors.js'
import { explain, infoOf, list } from './explain.js'
import type { PatternLike } from './handler.js'
import type { Logger } from './logger.js'
import { isMessage } from './message.js'
import { toPattern } from './pattern.js'
import { portableCopy } from './portable.js'
import { Registrar } from './registrar.js'
import type { Transport } from './transport.js'

/** The app as one plugin sees it: what it adds belongs to it. Its functions may be taken apart. */
export function viewOf(core: Core, service: string, log: Logger): App {
  const { dispatcher, events, life, settings, connections } = core
  const registrar = new Registrar(core, service, log)

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
    act,
    emit,
    add: (pattern: PatternLike, ...rest: [unknown, unknown?]) => {
      const [options, handler] = withOptions(rest)
      return registrar.add(pattern, options, handler)
    },
    on: (pattern: PatternLike, ...rest: [unknown, unknown?]) => {
      const [options, handler] = withOptions(rest)
      return registrar.on(pattern, options, handler)
    },
    wrap: (pattern: PatternLike, ...rest: [unknown, unknown?]) => {
      const [options, middleware] = withOptions(rest)
      return registrar.wrap(pattern, options, middleware)
    },
    use: (plugin: unknown, options?: unknown, as?: unknown) => {
      use(core, plugin, options, as)
      return view
    },
    onReady: (hook: () => unknown) => {
      checkHook('onReady', hook)
      if (life.phase === 'open') throw tooLate('onReady', 'call the function itself')
      core.boot.onReady(service, hook)
    },
    onClose: (hook: () => unknown) => {
      checkHook('onClose', hook)
      if (life.phase === 'closed') throw tooLate('onClose', 'the app is closed')
      core.boot.onClose(service, hook)
    },
    listen: async (transport: Transport, options: ListenOptions) => {
      connections.check(transport, options)
      // A hook that starts the app may listen, as it may act.
      if (life.phase !== 'starting') await untilReady(core, settings.timeoutMs)
      return connections.listen(transport, options)
    },
    connect: async (transport: Transport, options?: ConnectOptions) => {
      if (life.phase === 'draining' || life.phase === 'closed') throw life.closed()
      // What failed to start has been closed: a connection made now never would be.
      if (life.phase === 'failed') await life.ready()
      return connections.connect(transport, options)
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

function use(core: Core, plugin: unknown, options: unknown, as: unknown): void {
  const { phase } = core.life
  if (phase !== 'new' && phase !== 'loading') {
    throw new LuciliusError(
      'LUC_PLUGIN_INVALID',
      'The app has loaded its plugins: call app.use before app.ready, act and listen.',
    )
  }
  const { name, setup } = core.plugins.admit(plugin, as)
  const view = viewOf(core, name, core.settings.log.child({ service: name }))
  core.boot.use(name, () => setup(view, options))
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
