import { LuciliusError } from '../../errors.js'
import { hostApp, type Inventory } from '../../host.js'
import { describeLoadError } from '../loading/describe-load-error.js'
import { loadPlugin } from '../loading/load-plugin.js'
import type { Loaded } from '../loading/load-system.js'
import type { Service, System, SystemPlugin } from '../system.js'
import { type Failure, type Offers, offersOf } from './offers.js'

/** A plugin that was loaded, and what it says that it needs. */
interface Part {
  readonly name: string
  // What `loadPlugin` gives; the host of this file takes it as it is.
  readonly plugin: Awaited<ReturnType<typeof loadPlugin>>
  readonly options: unknown
  readonly needs: readonly string[]
}

/**
 * Finds out what the plugins and services of a system register, by setting all of them up in one app, as in one process.
 * What fails is left out of a second try. Nothing is started.
 */
export async function loadOffers({ system, folder }: Loaded): Promise<Offers> {
  const failures: Failure[] = []
  const fail = ({ name }: { readonly name: string }, error: unknown) => failures.push(failureOf(name, error, folder))
  const load = async (all: Iterable<Service | SystemPlugin>) => {
    const parts: Part[] = []
    for (const one of all) {
      try {
        parts.push(await partOf(one, folder))
      } catch (error) {
        fail(one, error)
      }
    }
    return parts
  }
  const [plugins, services] = [await load(system.plugins.values()), await load(system.services.values())]
  const inventory = await setUpAll([...plugins, ...neededFirst(services)], system, fail)
  const needs = services.map(({ name, needs }) => [name, needs.filter((need) => system.services.has(need))] as const)
  const named = (known: ReadonlyMap<string, unknown>) =>
    [...known.keys()].filter((name) => failures.every(({ service }) => service !== name))
  return {
    services: offersOf(named(system.services), inventory),
    plugins: offersOf(named(system.plugins), inventory),
    needs: new Map(needs),
    failures,
  }
}

async function partOf({ name, module, options }: Service | SystemPlugin, folder: string): Promise<Part> {
  const plugin = await loadPlugin(name, module, folder)
  const needs: unknown = typeof plugin === 'object' ? plugin.needs : []
  // What is no list of names is refused when the plugin is used.
  return { name, plugin, options, needs: Array.isArray(needs) ? needs : [] }
}

/** In the order of the description, but for what others need: which group has it in that order is looked at elsewhere. */
function neededFirst(parts: readonly Part[]): Part[] {
  const left = [...parts]
  const order: Part[] = []
  while (left.length > 0) {
    const next = left.findIndex(({ needs }) => !left.some(({ name }) => needs.includes(name)))
    order.push(...left.splice(Math.max(next, 0), 1))
  }
  return order
}

/** What all that can be set up registers. */
async function setUpAll(
  parts: readonly Part[],
  system: System,
  fail: (part: Part, error: unknown) => void,
): Promise<Inventory> {
  const fine = new Set<Part>()
  let left = parts
  for (;;) {
    const outcome = await setUp(left, system)
    if ('inventory' in outcome) return outcome.inventory
    const { failed, error } = outcome
    // What was set up before, and may be so only once, is not to blame.
    if (!fine.has(failed)) fail(failed, error)
    for (const part of left.slice(0, left.indexOf(failed))) fine.add(part)
    left = left.filter((part) => part !== failed)
  }
}

type Outcome = { readonly inventory: Inventory } | { readonly failed: Part; readonly error: unknown }

async function setUp(parts: readonly Part[], { limits }: System): Promise<Outcome> {
  const host = hostApp({ ...limits, name: 'plan' })
  let current: Part | undefined
  try {
    for (const part of parts) {
      current = part
      const { name, plugin, options } = part
      const noted = () => {
        current = part
      }
      host.app.use({ name: `(before ${name})`, setup: noted })
      host.app.use(plugin, options, { as: name })
    }
    await host.load()
    return { inventory: host.inventory() }
  } catch (error) {
    if (current === undefined) throw error
    return { failed: current, error }
  } finally {
    await host.app.close().catch(() => {}) // It was never started: what cannot be closed then is no fault.
  }
}

function failureOf(service: string, error: unknown, folder: string): Failure {
  const { message, frame } = describeLoadError(error, folder)
  // A plugin that is named already need not be named twice.
  const says = error instanceof LuciliusError && message.includes(`'${service}'`) ? message : `'${service}': ${message}`
  return { service, message: says, frame }
}
