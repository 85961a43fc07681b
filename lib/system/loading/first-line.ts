/** What an error says, in one line: its kind, unless that is plain, and the first line of its message. */
export function firstLineOf(error: unknown): string {
  if (!(error instanceof Error)) return `${error === null ? 'null' : typeof error} was thrown: ${String(error)}`
  const [line = ''] = error.message.split('\n')
  const plain = error.name === 'Error' || error.name === 'LuciliusError' || error.name.includes('[')
  return plain ? line : `${error.name}: ${line}`
}
