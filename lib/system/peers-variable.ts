const PREFIX = 'LUCILIUS_PEERS_'

/** The environment variable that says where the processes of a group are: `LUCILIUS_PEERS_CONVERT`. */
export function peersVariable(group: string): string {
  return `${PREFIX}${group.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_')}`
}

/** Whether a variable is called like that of some group. */
export function isPeersVariable(name: string): boolean {
  return name.startsWith(PREFIX) && /^[A-Z0-9_]+$/.test(name) && name.length > PREFIX.length
}
