/** The environment variable that says where the processes of a group are: `LUCILIUS_PEERS_CONVERT`. */
export function peersVariable(group: string): string {
  return `LUCILIUS_PEERS_${group.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_')}`
}
