/** What `authenticate` gets: the request of fastify, or the upgrade request of a WebSocket. */
export interface AuthRequest {
  /** Names are in lower case. */
  readonly headers: { readonly [name: string]: string | readonly string[] | undefined }
  /** The end of the socket on which it came. Absent within a process. */
  readonly socket?: {
    /** The address that was connected to, as this machine has it. */
    readonly localAddress?: string | undefined
    /** Its port. */
    readonly localPort?: number | undefined
    /** Whether it speaks TLS. */
    readonly encrypted?: boolean | undefined
  }
}
