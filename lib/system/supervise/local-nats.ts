import { accessSync, constants, mkdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { hasAddress } from '../broker-options.js'
import type { Environment } from '../environment.js'
import { invalid } from '../invalid.js'
import type { Variables } from '../secret.js'
import { storeKind } from '../store-of.js'
import type { Deployment } from '../system.js'
import { processesOf } from '../topology.js'
import { brokersOf } from '../transports-used.js'
import { NatsServer } from './nats-server.js'
import { own } from './own.js'

/** Whose NATS it is to be. */
export interface LocalNatsOptions {
  /** The folder of the description: data and log are in `.lucilius/nats` there. */
  readonly folder: string
  readonly deployment: string
  readonly variables: Variables
  /** Where it is looked for besides the PATH: by default where Debian puts it, and only root looks. */
  readonly beside?: readonly string[]
  /** Takes one line for a person. */
  readonly say: (line: string) => void
}

/** A `nats-server` that runs for a deployment on this machine. */
export interface LocalNats {
  readonly url: string
  /** Ends it. Its data stay. */
  close(): Promise<void>
}

/** Whether a deployment needs NATS, and nobody says where it is. */
export function needsLocalNats(deployment: Deployment, environment: Environment): boolean {
  if (hasAddress('nats', { deployment, environment })) return false
  return brokersOf(deployment).includes('nats') || storeKind(deployment, processesOf(deployment).length).kind === 'nats'
}

/**
 * Starts `nats-server` with JetStream, on a free port of loopback, and again when it dies, on the same port. Its data and
 * log stay in the folder.
 *
 * It ends with this process, however that ends, and not by signals of the terminal: whoever drains still needs it.
 *
 * Rejects with `LUC_OPTIONS_INVALID`: it is not installed, it does not start, or another one uses the same data.
 */
export async function startLocalNats(options: LocalNatsOptions): Promise<LocalNats> {
  const { folder, deployment, variables, beside = ['/usr/sbin', '/usr/local/sbin'], say } = options
  const program = programOf([...(variables.PATH ?? '').split(delimiter), ...beside])
  const shown = join('.lucilius', 'nats', deployment)
  const place = join(folder, shown)
  mkdirSync(place, { recursive: true })
  const owned = await own(place)
  const server = new NatsServer({ program, place, owned, say })
  const close = async () => {
    await server.close()
    owned.release()
  }
  try {
    const url = `nats://127.0.0.1:${await server.start(-1)}`
    say(`nats-server runs at ${url} for as long as this does; its data and log are in ${shown}`)
    return { url, close }
  } catch (error) {
    await close()
    throw error
  }
}

/** Where the program is. Throws `LUC_OPTIONS_INVALID`, which says how to get it, or do without. */
function programOf(folders: readonly string[]): string {
  for (const folder of folders.filter((one) => one !== '')) {
    const file = join(folder, 'nats-server')
    try {
      accessSync(file, constants.X_OK)
      return file
    } catch {
      // not there
    }
  }
  throw invalid(
    'This deployment needs NATS, nobody says where it is, and there is no nats-server on the PATH to start one. ' +
      'Set LUCILIUS_NATS_URL, or install it: apt-get install nats-server (Debian), brew install nats-server (Homebrew), or from the download page of nats.io',
  )
}
