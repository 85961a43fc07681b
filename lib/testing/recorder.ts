import type { Plugin } from '../app.js'
import type { Sending } from '../host.js'
import type { Message } from '../message.js'
import { MOCKS } from './mocks.js'

/** A message that passed. */
export interface Recorded {
  /** An act, or an event. */
  readonly kind: 'act' | 'emit'
  /** The service that answered the act, or that emitted the event; `mock` where a mock answered. */
  readonly service: string
  /** The canonical pattern of the action that answered; undefined for an event. */
  readonly pattern?: string
  /** What was sent, the pattern's pairs in it. */
  readonly message: Message
  /** What was answered; absent while it runs, after a failure, and for an event. */
  readonly reply?: unknown
  /** What the act failed with where it ran: the original error, its cause included. */
  readonly error?: unknown
}

/** Keeps the messages of a system, in the order in which they came to their handlers or were emitted. */
export class Recorder {
  readonly messages: Recorded[] = []

  /** Hears of what services send: events are recorded here. */
  readonly onSend = ({ kind, service, message }: Sending): void => {
    if (kind === 'emit') this.messages.push({ kind, service, message: { ...message } })
  }

  /** A plugin for every process: acts are recorded where they are answered, once, in any shape. */
  plugin(): Plugin {
    return {
      name: 'recorder',
      setup: (app) => {
        app.wrap('', (next) => async (message, context) => {
          const at = this.messages.length
          const { pattern } = context
          const service = context.service === MOCKS ? 'mock' : context.service
          const heard: Recorded = { kind: 'act', service, pattern, message }
          this.messages.push(heard)
          try {
            const reply = await next(message, context)
            this.messages[at] = { ...heard, reply }
            return reply
          } catch (error) {
            this.messages[at] = { ...heard, error }
            throw error
          }
        })
      },
    }
  }
}
