import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { lucilius } from '../../lib/index.js'
import { chance } from './chance.js'
import { startLoad, TIMEOUT_MS } from './load.js'
import { connecting, type TransportName } from './over.js'
import { happen } from './schedule.js'
import { startService } from './service.js'
import type { Tally } from './tally.js'

export { broken } from './tally.js'

/** What to put a transport through. */
export interface FaultPlan {
  readonly transport: TransportName
  /** How long; every fault happens once at least. */
  readonly seconds: number
  /** What happens, and when, follows from it. */
  readonly seed: number
}

/** Calls two services in processes of their own while all kinds of things happen to them, and counts what came of it. */
export async function underFaults({ transport, seconds, seed }: FaultPlan): Promise<Tally[]> {
  const folder = await mkdtemp(join(tmpdir(), 'lucilius-faults-'))
  const ledger = join(folder, 'done')
  await writeFile(ledger, '')
  const services = await Promise.all([startService(transport, ledger), startService(transport, ledger)])
  const app = lucilius({
    name: 'caller',
    parity: 'off',
    timeoutMs: TIMEOUT_MS,
    drainMs: 100,
    retry: { perSecond: 1000 },
  })
  try {
    for (const { proxy } of services) await app.connect(connecting(transport, proxy.port))
    const load = startLoad(app, 16, chance(seed + 1))
    await happen(services, chance(seed), seconds, load.note)
    return await load.stop(ledger)
  } finally {
    await app.close()
    await Promise.all(services.map((service) => service.close()))
    await rm(folder, { recursive: true, force: true })
  }
}
