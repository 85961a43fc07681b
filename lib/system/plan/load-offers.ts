import { LuciliusError } from '../../errors.js'
import { hostApp, type Inventory } from '../../host.js'
import { describeLoadError } from '../loading/describe-load-error.js'
import { loadPlugin } from '../loading/load-plugin.js'
import type { Loaded } from '../loading/load-system.js'
import type { Service, System, SystemPlugin } from '../system.js'
import { type Failure, type Offer, type Offers, offerOf } from './offers.js'

/** A plugin that was loaded, and what it says that it needs. */
interface Part {
  readonly name: string
  // What `loadPlugin` gives; hosts of this file take it as it is.
  readonly plugin: Awaited<ReturnType<typeof loadPlugin>>
  readonly options: unknown
  readonly needs: readonly string[]
}

/**
 * Finds out what the services of a system register, by setting each of them up in an app of its own, behind the plugins
 * of the system. So each pattern is known to be that of its service, also one that a plugin within it registers. Nothing
 * is started.
 */
export async function loadOffers({ system, folder }: Loaded): Promise<Offers> {
  const failures: Failure[] = []
  const load = async (given: Service | SystemPlugin) => {
    try {
      return await partOf(given, folder)
    } catch (error) {
      failures.push(failureOf(given.name, error, folder))
      return undefined
    }
  }
  const plugins = await inTurn([...system.plugins.values()], load)
  const services = await inTurn([...system.services.values()], load)
  const setUp = (parts: readonly Part[]) => inventoryOf(parts, system)

  const common = await inTurn(plugins, async (part, at) => {
    try {
      const [before, after] = [await setUp(plugins.slice(0, at)), await setUp(plugins.slice(0, at + 1))]
      return [part.name, offerOf(after, before)] as const
    } catch (error) {
      failures.push(failureOf(part.name, error, folder))
      return undefined
    }
  })
  // Where a plugin fails, every service would.
  const own = failures.some(({ service }) => system.plugins.has(service))
    ? []
    : await inTurn(services, async (part) => {
        const before = [...plugins, ...neededBy(part, services)]
        try {
          return [part.name, offerOf(await setUp([...before, part]), await setUp(before))] as const
        } catch (error) {
          failures.push(failureOf(part.name, error, folder))
          return undefined
        }
      })
  const needs = services.map(({ name, needs }) => [name, needs.filter((need) => system.services.has(need))] as const)
  return { services: new Map<string, Offer>(own), plugins: new Map(common), needs: new Map(needs), failures }
}

async function partOf({ name, module, options }: Service | SystemPlugin, folder: string): Promise<Part> {
  const plugin = await loadPlugin(name, module, folder)
  const needs: unknown = typeof plugin === 'object' ? plugin.needs : []
  // What is no list of names is refused when the plugin is used.
  return { name, plugin, options, needs: Array.isArray(needs) ? needs : [] }
}

/** The other services that a service needs, those first that they need. */
function neededBy(part: Part, all: readonly Part[], seen: Set<string> = new Set()): Part[] {
  seen.add(part.name)
  const others = all.filter(({ name }) => part.needs.includes(name))
  return others.flatMap((other) => (seen.has(other.name) ? [] : [...neededBy(other, all, seen), other]))
}

async function inventoryOf(parts: readonly Part[], { limits }: System): Promise<Inventory> {
  const host = hostApp({ ...limits, name: 'plan' })
  for (const { name, plugin, options } of parts) host.app.use(plugin, options, { as: name })
  await host.load()
  return host.inventory()
}

function failureOf(service: string, error: unknown, folder: string): Failure {
  const { message, frame } = describeLoadError(error, folder)
  // A plugin that is named already need not be named twice.
  const says = error instanceof LuciliusError && message.includes(`'${service}'`) ? message : `'${service}': ${message}`
  return { service, message: says, frame }
}

/** One after the other, so that set-ups do not get into each other's way; leaves out what gave nothing. */
async function inTurn<T, R>(all: readonly T[], run: (one: T, at: number) => Promise<R | undefined>): Promise<R[]> {
  const results: R[] = []
  for (const [at, one] of all.entries()) {
    const result = await run(one, at)
    if (result !== undefined) results.push(result)
  }
  return results
}
