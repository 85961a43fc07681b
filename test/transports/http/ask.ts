import { type IncomingHttpHeaders, request } from 'node:http'

/** What a plain client gets. */
export interface Answered {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
  /** The body as JSON, undefined if there is none. */
  readonly body: unknown
}

/** What a plain client sends. */
export interface Asked {
  readonly method?: string
  readonly headers?: { readonly [name: string]: string }
  readonly body?: unknown
}

/**
 * Sends one request as any client would, on a socket of its own that it offers to keep. A body is sent as JSON unless it
 * is text.
 */
export function ask(url: string, { method = 'GET', headers = {}, body }: Asked = {}): Promise<Answered> {
  const type = body === undefined ? {} : { 'content-type': 'application/json' }
  return new Promise((resolve, reject) => {
    const call = request(
      url,
      { method, headers: { connection: 'keep-alive', ...type, ...headers }, agent: false },
      (response) => {
        let text = ''
        response.setEncoding('utf8').on('data', (part: string) => {
          text += part
        })
        response.on('end', () => {
          const { statusCode = 0, headers } = response
          const parsed: unknown = text.startsWith('{') || /^[[\d"tfn-]/.test(text) ? JSON.parse(text) : undefined
          call.destroy()
          resolve({ status: statusCode, headers, text, body: parsed })
        })
      },
    )
    call.on('error', reject)
    call.end(typeof body === 'string' || body === undefined ? body : JSON.stringify(body))
  })
}

/** Posts a message to /act. */
export function post(url: string, body: unknown, headers: Asked['headers'] = {}): Promise<Answered> {
  return ask(`${url}/act`, { method: 'POST', body, headers })
}
