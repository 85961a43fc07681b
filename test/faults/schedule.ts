import { setTimeout as pause } from 'node:timers/promises'
import type { Faults } from '../support/fault-proxy.js'
import { type Chance, shuffled } from './chance.js'
import type { Service } from './service.js'

/** Does something bad to one of the services, or to all, and puts it right again. */
type Fault = (services: readonly Service[], chance: Chance) => Promise<void>

const from = (chance: Chance, least: number, most: number) => Math.round(least + chance() * (most - least))

const one = (services: readonly Service[], chance: Chance) => services[from(chance, 0, services.length - 1)] as Service // the index is within bounds

/** Lets one of the proxies, or each of them, do harm for a while. */
function harm(faults: (chance: Chance) => Faults): Fault {
  return async (services, chance) => {
    const harmed = chance() < 0.3 ? services : [one(services, chance)]
    for (const { proxy } of harmed) proxy.set(faults(chance))
    await pause(from(chance, 200, 600))
    // What was swallowed never comes: a connection from which bytes are missing is over.
    for (const { proxy } of harmed) proxy.cut()
    for (const { proxy } of harmed) proxy.set({})
  }
}

/** Lets each of the proxies be slow for a while, which is no reason to fail. */
function slow(faults: (chance: Chance) => Faults): Fault {
  return async (services, chance) => {
    for (const { proxy } of services) proxy.set(faults(chance))
    await pause(from(chance, 200, 600))
    for (const { proxy } of services) proxy.set({})
  }
}

/** All that happens to the services, by name. */
const faults: { readonly [name: string]: Fault } = {
  'kill -9': async (services, chance) => {
    const service = one(services, chance)
    await service.kill()
    await pause(from(chance, 0, 300))
    await service.start()
  },
  'kill -9 of all': async (services, chance) => {
    await Promise.all(services.map((service) => service.kill()))
    await pause(from(chance, 0, 300))
    await Promise.all(services.map((service) => service.start()))
  },
  stopped: async (services, chance) => {
    const service = one(services, chance)
    service.signal('SIGSTOP')
    await pause(from(chance, 300, 1500))
    service.signal('SIGCONT')
  },
  restart: async (services) => {
    for (const service of services) {
      await service.end()
      await service.start()
    }
  },
  latency: slow((chance) => ({ latencyMs: from(chance, 1, 20), jitterMs: from(chance, 0, 30) })),
  slicing: slow((chance) => ({ slice: from(chance, 1, 300), jitterMs: from(chance, 0, 1) })),
  cut: async (services, chance) => {
    const { proxy } = one(services, chance)
    proxy.cut()
    await pause(from(chance, 0, 300))
    proxy.set({})
  },
  frozen: harm(() => ({ frozen: true })),
  reset: harm((chance) => ({ resetAfter: from(chance, 1000, 20_000), slice: from(chance, 100, 700) })),
}

/** Does one thing after the other, each once in an order of its own, round for round until the time is over. */
export async function happen(
  services: readonly Service[],
  chance: Chance,
  seconds: number,
  tell: (fault: string) => void,
): Promise<void> {
  const end = performance.now() + seconds * 1000
  const isOver = () => performance.now() > end
  for (let round = 0; round === 0 || !isOver(); round++) {
    for (const name of shuffled(Object.keys(faults), chance)) {
      if (round > 0 && isOver()) return
      tell(name)
      await faults[name]?.(services, chance)
      await pause(from(chance, 50, 200))
    }
  }
}
