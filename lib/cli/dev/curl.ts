import type { DevDoor } from './messages.js'

/** A line for a shell that sends the example of an HTTP door; undefined for any other. */
export function curlLine({ transport, url, example }: DevDoor): string | undefined {
  if (transport !== 'http' || example === undefined) return undefined
  const message = JSON.stringify(example).replaceAll("'", "'\\''")
  return `curl -H 'content-type: application/json' -d '${message}' ${url}/act`
}
