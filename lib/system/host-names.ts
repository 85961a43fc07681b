/** Whether a host to listen on stands for all addresses of the machine. */
export function isEvery(host: string): boolean {
  return host === '0.0.0.0' || host === '::'
}

/** Host and port as addresses have them: IPv6 in brackets. */
export function hostAndPort(host: string, port: number): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}
