import { type Environment, readEnvironment } from '../environment.js'
import { descriptionFolder } from '../loading/description-folder.js'
import type { Loaded } from '../loading/load-system.js'
import type { Variables } from '../secret.js'
import type { Deployment } from '../system.js'
import { needsLocalNats, startLocalNats } from './local-nats.js'

/** What the processes of a deployment get to know of the brokers that were started for them. */
export interface LocalBrokers {
  /** The variables given, with addresses. */
  readonly variables: Variables
  /** What they say. */
  readonly environment: Environment
  /** Ends what was started. */
  close(): Promise<void>
}

/**
 * Starts the broker that a deployment needs and nobody says where it is, where that can be done: NATS. `say` gets a line for
 * a person. Rejects with `LUC_OPTIONS_INVALID`.
 */
export async function localBrokers(
  loaded: Loaded,
  deployment: Deployment,
  variables: Variables,
  say: (line: string) => void,
): Promise<LocalBrokers> {
  const groups = [...deployment.groups.keys()]
  const environment = readEnvironment(variables, groups)
  if (!needsLocalNats(deployment, environment)) return { variables, environment, close: async () => {} }
  const folder = descriptionFolder(loaded)
  const { url, close } = await startLocalNats({ folder, deployment: deployment.name, variables, say })
  const more = { ...variables, LUCILIUS_NATS_URL: url }
  return { variables: more, environment: readEnvironment(more, groups), close }
}
