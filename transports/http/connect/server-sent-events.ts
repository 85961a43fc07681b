import { StringDecoder } from 'node:string_decoder'

/** One server-sent event. */
export interface ServerSentEvent {
  readonly event: string
  readonly data: string
}

/**
 * Reads server-sent events (HTML Living Standard §9.2.6) from bytes as they come: `event` and one line of `data`, the
 * only fields of the wire format. Others and comments pass by. Throws for an event that is longer than `maxLength`.
 */
export class ServerSentEvents {
  readonly #maxLength: number
  readonly #decoder = new StringDecoder('utf8')
  #parts: string[] = []
  #length = 0
  #event = ''
  #data = ''

  constructor(maxLength: number) {
    this.#maxLength = maxLength
  }

  /** Takes some bytes and gives back the events that are whole now. */
  push(bytes: Buffer): ServerSentEvent[] {
    const text = this.#decoder.write(bytes)
    const events: ServerSentEvent[] = []
    let from = 0
    for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', from)) {
      this.#parts.push(text.slice(from, at))
      from = at + 1
      const event = this.#line(this.#parts.join(''))
      this.#parts = []
      this.#length = 0
      if (event !== undefined) events.push(event)
    }
    this.#parts.push(text.slice(from))
    this.#length += text.length - from
    if (this.#length > this.#maxLength) throw new RangeError('A server-sent event is too long.')
    return events
  }

  #line(raw: string): ServerSentEvent | undefined {
    const line = raw.endsWith('\r') ? raw.slice(0, -1) : raw
    if (line === '') {
      const event = { event: this.#event, data: this.#data }
      this.#event = ''
      this.#data = ''
      return event.event === '' ? undefined : event
    }
    if (line.startsWith('event:')) this.#event = fieldValue(line, 6)
    if (line.startsWith('data:')) this.#data = fieldValue(line, 5)
    return undefined
  }
}

/** One space after the colon belongs to neither. */
function fieldValue(line: string, from: number): string {
  return line.slice(line[from] === ' ' ? from + 1 : from)
}
