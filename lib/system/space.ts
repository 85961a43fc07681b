import { basename } from 'node:path'
import type { BrokerEnvironment } from './environment.js'
import { descriptionFolder } from './loading/description-folder.js'
import type { Loaded } from './loading/load-system.js'
import type { Deployment } from './system.js'

/** Whose space is meant, and what the environment says of it. */
export interface SpacePlace {
  readonly loaded: Loaded
  readonly deployment: Pick<Deployment, 'brokers'>
  readonly environment?: { readonly brokers?: BrokerEnvironment }
}

/**
 * What tells this system from others on the same broker, in the same registry, on the same network: `LUCILIUS_SPACE`, else
 * `brokers.space`, else its own name, made of what subjects and queues may be called.
 */
export function spaceOf({ loaded, deployment, environment }: SpacePlace): string {
  const said = environment?.brokers?.space ?? deployment.brokers.space
  if (said !== undefined) return said
  const name = loaded.system.name ?? basename(descriptionFolder(loaded))
  const safe = name.replaceAll(/[^A-Za-z0-9_-]+/g, '-').slice(0, 50)
  return /\w/.test(safe) ? safe : 'lucilius'
}
