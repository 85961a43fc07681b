import type { Test } from 'tap'
import { WebSocket } from 'ws'

/** What comes back in a frame. */
export interface Frame {
  readonly kind: string
  readonly id?: number | string
  readonly reply?: unknown
  readonly error?: { readonly code: string; readonly message: string; readonly handled: string }
  readonly [key: string]: unknown
}

/** The other end of a listener, as a page or a program in another language is: no lucilius, only frames. */
export class Page {
  readonly socket: WebSocket
  /** Messages in order of arrival, frames taken apart, and how many there were in each frame. */
  readonly frames: Frame[] = []
  readonly sizes: number[] = []
  readonly closed: Promise<number>
  #waiting: { readonly found: (frame: Frame) => boolean; readonly resolve: (frame: Frame) => void }[] = []

  constructor(socket: WebSocket) {
    this.socket = socket
    this.closed = new Promise((resolve) => socket.once('close', resolve))
    socket.on('error', () => {})
    socket.on('message', (data) => {
      const content = JSON.parse(String(data))
      const frames: Frame[] = Array.isArray(content) ? content : [content]
      this.sizes.push(frames.length)
      for (const frame of frames) {
        this.frames.push(frame)
        this.#waiting = this.#waiting.filter(({ found, resolve }) => !found(frame) || resolve(frame))
      }
    })
  }

  send(...messages: unknown[]): void {
    this.socket.send(JSON.stringify(messages.length === 1 ? messages[0] : messages))
  }

  /** The first frame that is so, here already or to come. */
  when(found: (frame: Frame) => boolean): Promise<Frame> {
    const known = this.frames.find(found)
    return known === undefined
      ? new Promise((resolve) => this.#waiting.push({ found, resolve }))
      : Promise.resolve(known)
  }

  /** The answer to an act. */
  answer(id: number | string): Promise<Frame> {
    return this.when((frame) => frame.kind === 'reply' && frame.id === id)
  }
}

/** What a peer first tells: a page that is to be one. */
export function introduction(name: string, more: object = {}): object {
  const self = { kind: 'announcement', wire: 1, name, instance: `of-${name}`, draining: false, rows: true }
  return { ...self, actions: [], subscriptions: [], ...more }
}

/** Connects as a page does. */
export async function page(t: Test, url: string, options: object = {}): Promise<Page> {
  const socket = new WebSocket(url, 'lucilius.v1', options)
  t.teardown(() => socket.terminate())
  const opened = new Page(socket)
  await new Promise((resolve, reject) => {
    socket.once('open', resolve)
    socket.once('error', reject)
  })
  return opened
}

/** The status that an upgrade is refused with, and the error in its body. */
export async function refusal(
  url: string,
  protocols: string[] = ['lucilius.v1'],
  options: object = {},
): Promise<{ status: number | undefined; code: unknown; text: string }> {
  const socket = new WebSocket(url, protocols, options)
  socket.on('error', () => {})
  return new Promise((resolve, reject) => {
    socket.once('open', () => reject(new Error('It was not refused.')))
    socket.once('unexpected-response', (request, response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (part: string) => {
        text += part
      })
      response.on('end', () => {
        request.destroy()
        resolve({
          status: response.statusCode,
          code: text.startsWith('{') ? JSON.parse(text).error.code : undefined,
          text,
        })
      })
    })
  })
}
