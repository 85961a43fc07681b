import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import type { Authenticator, NatsConnection, NodeConnectionOptions } from '@nats-io/transport-node'
import { LuciliusError } from '../../lib/transport-kit.js'
import type { Settings } from './settings.js'
import { toTrouble } from './trouble.js'

type Client = typeof import('@nats-io/transport-node')

/** Milliseconds after a loss in which tries follow each other fast. */
const FAST_FOR_MS = 5_000
const FAST_MS = 100
const SLOW_MS = 5_000

/** Milliseconds between two pings to the server; one that does not answer two is lost. */
const SERVER_PING_MS = 10_000

/**
 * Opens a connection that comes back by itself, for ever. Rejects with `LUC_UNREACHABLE` if none of the servers can be
 * reached now, `LUC_UNAUTHENTICATED`, and `LUC_OPTIONS_INVALID` if the client library is not installed.
 */
export async function openClient(settings: Settings, lostAt: () => number): Promise<NatsConnection> {
  const client = await load()
  const authenticator = await toAuthenticator(client, settings)
  const { servers, shown, scheme, app, connectTimeoutMs, tls, user, pass, token } = settings
  const options: NodeConnectionOptions = {
    servers: [...servers],
    name: app ?? 'lucilius',
    timeout: connectTimeoutMs,
    maxReconnectAttempts: -1,
    ignoreAuthErrorAbort: true,
    reconnectDelayHandler: () => Math.random() * (performance.now() - lostAt() < FAST_FOR_MS ? FAST_MS : SLOW_MS),
    pingInterval: SERVER_PING_MS,
    noAsyncTraces: true,
    inboxPrefix: `lucilius.${settings.space}.inbox`,
  }
  if (user !== undefined) options.user = user
  if (pass !== undefined) options.pass = pass
  if (token !== undefined) options.token = token
  if (authenticator !== undefined) options.authenticator = authenticator
  // Their type is narrower than what they take: all of it goes to node:tls.
  if (tls !== undefined || scheme === 'tls') options.tls = { ...tls } as NonNullable<NodeConnectionOptions['tls']>
  try {
    return await client.connect(options)
  } catch (error) {
    throw toTrouble(shown, error)
  }
}

async function load(): Promise<Client> {
  try {
    return await import('@nats-io/transport-node')
  } catch (cause) {
    const cure = 'npm install @nats-io/transport-node'
    throw new LuciliusError('LUC_OPTIONS_INVALID', `nats: its client library is not installed: ${cure}`, { cause })
  }
}

async function toAuthenticator(client: Client, { nkey, creds }: Settings): Promise<Authenticator | undefined> {
  if (nkey !== undefined) {
    const authenticator = client.nkeyAuthenticator(Buffer.from(nkey))
    check('nkey', 'is the seed of a user, which starts with SU', () => authenticator(''))
    return authenticator
  }
  if (creds === undefined) return undefined
  let last: Uint8Array
  try {
    last = await readFile(creds)
  } catch (cause) {
    throw new LuciliusError('LUC_OPTIONS_INVALID', `nats: 'creds', the file ${creds}, cannot be read.`, { cause })
  }
  const read = () => {
    try {
      last = readFileSync(creds)
    } catch {
      // It is just being replaced: the one that held until now may still do.
    }
    return last
  }
  check('creds', 'is the path of a file with a user JWT and its seed', () => client.credsAuthenticator(last)(''))
  return client.credsAuthenticator(read)
}

/** What the library throws may repeat what it was given: it is not kept. */
function check(key: string, what: string, run: () => unknown): void {
  try {
    run()
  } catch {
    throw new LuciliusError('LUC_OPTIONS_INVALID', `nats: '${key}' ${what}.`)
  }
}
