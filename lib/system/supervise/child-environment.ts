import type { Variables } from '../secret.js'

/** What the supervisor decides for its children: who they are, where they listen and where the others are. */
const decided = ['LUCILIUS_CONFIG', 'LUCILIUS_PORT', 'LUCILIUS_REPLICA']

/**
 * The environment of a child: that of the supervisor, with nothing that tells it another place in the system. `secret` is
 * one that the supervisor has made: one that it was given stays where it stands, in a variable or a file.
 */
export function childEnvironment(variables: Variables, secret: string | undefined): NodeJS.ProcessEnv {
  const kept = Object.entries(variables).filter(
    ([name]) => !decided.includes(name) && !name.startsWith('LUCILIUS_PEERS_'),
  )
  return { ...Object.fromEntries(kept), ...(secret === undefined ? {} : { LUCILIUS_SECRET: secret }) }
}
