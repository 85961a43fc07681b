import type { Variables } from '../secret.js'

/** What the supervisor decides for its children: who they are, where they listen and where the others are. */
const decided = ['LUCILIUS_CONFIG', 'LUCILIUS_SECRET_FILE', 'LUCILIUS_PORT', 'LUCILIUS_REPLICA']

/** The environment of a child: that of the supervisor, the secret, and nothing that tells it another place in the system. */
export function childEnvironment(variables: Variables, secret: string): NodeJS.ProcessEnv {
  const kept = Object.entries(variables).filter(
    ([name]) => !decided.includes(name) && !name.startsWith('LUCILIUS_PEERS_'),
  )
  return { ...Object.fromEntries(kept), LUCILIUS_SECRET: secret }
}
