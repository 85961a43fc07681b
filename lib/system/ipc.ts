/**
 * What a child process and the one that supervises it tell each other, each message in an envelope: a service may use the
 * same channel for words of its own. Whatever is not understood here is ignored.
 */
import { isMessage } from '../message.js'
import type { WireError } from '../transport.js'
import { type PassedBatch, toPassedBatch } from './passing.js'
import { isRecordedSending, type RecordedSending } from './recording.js'
import { type StoreQuestion, toStoreQuestion } from './store-questions.js'

/** A door to the outside as it was opened. */
export interface Door {
  readonly transport: string
  readonly url: string
}

/** What a child tells. */
export type ChildMessage =
  /** Peers reach it here. Comes before its services start, so that they may act on one another. */
  | { readonly type: 'listening'; readonly url: string }
  /** Its services have started and its doors are open. `instance`: how peers know it. */
  | { readonly type: 'ready'; readonly doors: readonly Door[]; readonly instance?: string }
  /** It ends because of this. `final`: a second try would fail in the same way. `taken`: it could not listen. */
  | {
      readonly type: 'failed'
      readonly message: string
      readonly frame?: string
      readonly final?: boolean
      readonly taken?: boolean
    }
  /** It was told from outside to end, and asks for its turn. */
  | { readonly type: 'leaving' }
  /** The files that its services are made of. */
  | { readonly type: 'files'; readonly files: readonly string[] }
  /** A service sent such a message for the first time. */
  | { readonly type: 'sent'; readonly sending: RecordedSending }
  /** It has drained. `hung`: what still ran when the time was over. */
  | { readonly type: 'drained'; readonly hung: readonly string[] }
  /** What its store says to `ask`, or why it says nothing; or that it has done what `lookOn` said. */
  | { readonly type: 'answer'; readonly id: number; readonly reply?: unknown; readonly error?: WireError }
  /** What passed there, while somebody looks on. */
  | { readonly type: 'passed'; readonly batch: PassedBatch }

/** What a child is told. */
export type ParentMessage =
  /** Where all processes are by now; one that is not named is nowhere. */
  | { readonly type: 'addresses'; readonly addresses: { readonly [id: string]: string } }
  /** The answer to `leaving`: its turn will come. */
  | { readonly type: 'wait' }
  /** Its turn will not come: nothing could take its place. It runs on as if it had never asked. */
  | { readonly type: 'stay' }
  /** Finish what runs, then end. */
  | { readonly type: 'drain' }
  /** These files have changed. */
  | { readonly type: 'changed'; readonly files: readonly string[] }
  /** Something that its store is asked; `answer` has the same id. */
  | { readonly type: 'ask'; readonly id: number; readonly question: StoreQuestion }
  /** Tell what passed until now, and what passes from now on if `on`; `answer` has the same id, and comes after it. */
  | { readonly type: 'lookOn'; readonly id: number; readonly on: boolean }

/** Puts a message into the envelope in which it travels. */
export function sealed(message: ChildMessage | ParentMessage): object {
  return { lucilius: message }
}

/** Reads what came from a child; undefined for what is no message of ours. */
export function toChildMessage(value: unknown): ChildMessage | undefined {
  const content = opened(value)
  if (content === undefined) return undefined
  const { type, url, doors, message, frame, final, taken, files, sending, hung, id, reply, error, instance, batch } =
    content
  switch (type) {
    case 'listening':
      return isText(url) ? { type, url } : undefined
    case 'ready':
      return isListOf(doors, isDoor) ? { type, doors, ...(isText(instance) ? { instance } : {}) } : undefined
    case 'failed':
      if (!isText(message)) return undefined
      return {
        type,
        message,
        ...(isText(frame) ? { frame } : {}),
        ...(final === true ? { final } : {}),
        ...(taken === true ? { taken } : {}),
      }
    case 'leaving':
      return { type }
    case 'files':
      return isListOf(files, isText) ? { type, files } : undefined
    case 'sent':
      return isRecordedSending(sending) ? { type, sending } : undefined
    case 'drained':
      return isListOf(hung, isText) ? { type, hung } : undefined
    case 'answer':
      if (!isNumber(id)) return undefined
      // What a child of ours says to be an error is one.
      return { type, id, ...(isMessage(error) ? { error: error as unknown as WireError } : { reply }) }
    case 'passed': {
      const told = toPassedBatch(batch)
      return told === undefined ? undefined : { type, batch: told }
    }
    default:
      return undefined
  }
}

/** Reads what came from the parent; undefined for what is no message of ours. */
export function toParentMessage(value: unknown): ParentMessage | undefined {
  const content = opened(value)
  if (content === undefined) return undefined
  const { type, addresses, files, id, question, on } = content
  switch (type) {
    case 'addresses':
      return isAddresses(addresses) ? { type, addresses } : undefined
    case 'wait':
    case 'stay':
    case 'drain':
      return { type }
    case 'changed':
      return isListOf(files, isText) ? { type, files } : undefined
    case 'ask': {
      const asked = toStoreQuestion(question)
      return isNumber(id) && asked !== undefined ? { type, id, question: asked } : undefined
    }
    case 'lookOn':
      return isNumber(id) ? { type, id, on: on === true } : undefined
    default:
      return undefined
  }
}

function opened(value: unknown): { readonly [key: string]: unknown } | undefined {
  return isObject(value) && isObject(value.lucilius) ? value.lucilius : undefined
}

function isObject(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === 'object' && value !== null
}

function isText(value: unknown): value is string {
  return typeof value === 'string'
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number'
}

function isListOf<T>(value: unknown, is: (item: unknown) => item is T): value is readonly T[] {
  return Array.isArray(value) && value.every(is)
}

function isDoor(value: unknown): value is Door {
  return isObject(value) && isText(value.transport) && isText(value.url)
}

function isAddresses(value: unknown): value is { readonly [id: string]: string } {
  return isObject(value) && Object.values(value).every(isText)
}
