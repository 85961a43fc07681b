import { Boot } from './boot.js'
import type { Core } from './core.js'
import { covers } from './covers.js'
import { didYouMean } from './did-you-mean.js'
import type { Action } from './dispatch/action.js'
import type { Running } from './dispatch/running.js'
import { LuciliusError } from './errors.js'
import type { Subscribed } from './events/subscriptions.js'
import { failed } from './hook.js'
import { Gate } from './peers/gate.js'
import { PluginUse, type Tenure, within } from './plugin-use.js'
import { setUp } from './view.js'

/** Puts another plugin in the place of one, those that it uses included, one after the other. See `Host.replace`. */
export async function replace(
  core: Core,
  running: Running,
  name: string,
  plugin: unknown,
  options: unknown,
): Promise<void> {
  await core.life.ready()
  const done = (core.replaced ?? Promise.resolve()).then(() => exchange(core, running, name, plugin, options))
  core.replaced = done.catch(() => {})
  return done
}

async function exchange(core: Core, running: Running, name: string, plugin: unknown, options: unknown): Promise<void> {
  if (core.life.phase !== 'open') throw core.life.closed()
  const old = core.uses.get(name) ?? unknown(core, name)
  const next = await staged(core, old, plugin, options)
  const gate = new Gate(core.dispatcher, core.parking, (message) => core.notFound(message))
  const isOurs = (observer: Subscribed) => has(old, observer) || has(next, observer)
  core.gate = gate
  core.events.hold(isOurs, core.settings.park.max)
  try {
    await finish(core, running, gate, old, next)
    await close(core, old)
    await enter(core, gate, old, next)
  } finally {
    core.gate = undefined
    // What is retained comes first: what was kept for them stands behind it.
    if (next.tenure.standing === 'in') {
      core.durableLife.arrived([...next.all()].flatMap(({ subscriptions }) => [...subscriptions]))
    }
    core.events.release(isOurs)
    gate.open()
  }
  core.warnOfForeignWraps()
}

/** Sets the new plugin up beside the old one, which goes on as if nothing were if that fails. */
async function staged(core: Core, old: PluginUse, plugin: unknown, options: unknown): Promise<PluginUse> {
  const { plugins } = core
  const tenure: Tenure = { standing: 'staged', orders: within(old.place), boot: new Boot() }
  const next = new PluginUse(old.name, old.log, tenure)
  next.place = old.place
  plugins.release(namesOf(old))
  try {
    const { setup } = plugins.admit(plugin, { as: old.name })
    setUp(core, next, setup, options)
    await tenure.boot.load()
    return next
  } catch (error) {
    await close(core, next)
    plugins.release(namesOf(next))
    plugins.restore(namesOf(old))
    throw error
  }
}

/** Holds new work for the old plugin, and for what its wraps or those of the new one go around, until what runs has ended. */
async function finish(core: Core, running: Running, gate: Gate, old: PluginUse, next: PluginUse): Promise<void> {
  const wraps = [...old.all(), ...next.all()].flatMap((use) => [...use.wraps]).filter(({ at }) => at === 'handler')
  const own = new Set([...old.all()].flatMap((use) => [...use.actions]))
  const concerned = (action: Action) => own.has(action) || wraps.some(({ pattern }) => covers(pattern, action.pattern))
  const busy = new Set<Action>()
  for (const action of [...core.dispatcher.actions.all()]) {
    if (action.remote !== undefined || !concerned(action)) continue
    gate.hold(action)
    busy.add(action)
  }
  for (const use of old.all()) for (const { action } of [...use.subscriptions, ...use.durables]) busy.add(action)
  old.tenure.standing = 'leaving'
  // What comes from now on waits in the store for the new one.
  await core.events.durables.pause([...old.all()].flatMap(({ durables }) => [...durables]))
  // Observers of events that were emitted in this very turn start in a microtask: they run by then, and are waited for.
  await undefined
  const late = await running.ended(busy, core.settings.drainMs)
  if (late.length === 0) return
  const patterns = late.map(({ pattern }) => pattern.text)
  old.log.warn({ patterns }, `handlers still run while '${old.name}' is replaced, after ${core.settings.drainMs} ms`)
}

/** Ends a plugin: its hooks run, and what it opened is closed. A failure is told, and in nobody's way. */
async function close(core: Core, use: PluginUse): Promise<void> {
  use.tenure.standing = 'out'
  const open = [...use.all()].flatMap(({ opened }) => [...opened]).filter((one) => core.connections.isOpen(one))
  try {
    await core.hooks
      .run((hook) => hook.tenure === use.tenure)
      .finally(() => Promise.all(open.map((one) => one.close())))
  } catch (error) {
    use.log.error({ err: error }, 'what was replaced did not close well')
  }
}

/** Exchanges in one turn what is registered, and starts the new plugin. If it fails, its place is empty. */
async function enter(core: Core, gate: Gate, old: PluginUse, next: PluginUse): Promise<void> {
  const { name, tenure } = next
  core.uses.set(name, next)
  try {
    swap(core, gate, old, next)
    await tenure.boot.start()
    tenure.standing = 'in'
    for (const { durables } of next.all()) for (const durable of durables) core.events.durables.join(durable)
    // What it registers from now on comes after everything else.
    tenure.orders = core.self.tenure.orders
  } catch (error) {
    await close(core, next)
    leave(core, gate, next)
    core.plugins.release(namesOf(next))
    core.plugins.restore([name])
    throw error instanceof LuciliusError && error.code === 'LUC_PLUGIN_FAILED'
      ? error
      : failed(name, 'what it registers', error)
  }
}

function swap(core: Core, gate: Gate, old: PluginUse, next: PluginUse): void {
  const { composition } = core.dispatcher
  const { subscriptions, declarations, durables } = core.events
  composition.actions.together(() => {
    leave(core, gate, old)
    next.tenure.standing = 'starting'
    for (const { wraps } of next.all()) for (const wrap of wraps) composition.wrap(wrap)
    for (const { actions } of next.all()) {
      for (const action of actions) {
        composition.add(action)
        gate.hold(action)
      }
    }
    gate.compose()
  })
  for (const one of next.all()) {
    for (const subscribed of one.subscriptions) subscriptions.add(subscribed)
    for (const declared of one.declarations) declarations.add(declared)
    for (const durable of one.durables) durables.add(durable)
  }
}

/** Takes away what a plugin has registered. */
function leave(core: Core, gate: Gate, use: PluginUse): void {
  const { composition } = core.dispatcher
  composition.actions.together(() => {
    for (const { actions } of use.all()) for (const action of actions) gate.drop(action)
    for (const { wraps } of use.all()) for (const wrap of wraps) composition.unwrap(wrap)
  })
  const { events } = core
  for (const { subscriptions, declarations, durables } of use.all()) {
    for (const one of subscriptions) events.subscriptions.remove(one)
    for (const one of declarations) events.declarations.remove(one)
    for (const one of durables) events.durables.remove(one)
  }
}

function has(use: PluginUse, observer: Subscribed): boolean {
  for (const one of use.all()) if (one.subscriptions.has(observer)) return true
  return false
}

function namesOf(use: PluginUse): string[] {
  return [...use.all()].map(({ name }) => name)
}

function unknown(core: Core, name: string): never {
  for (const use of core.uses.values()) {
    if (namesOf(use).includes(name)) {
      throw new LuciliusError(
        'LUC_PLUGIN_INVALID',
        `Plugin '${name}' is used in the set-up of '${use.name}', and goes with it: replace '${use.name}'.`,
      )
    }
  }
  throw new LuciliusError(
    'LUC_PLUGIN_INVALID',
    `There is no plugin '${name}' to replace: ${didYouMean(name, core.uses.keys())}`,
  )
}
