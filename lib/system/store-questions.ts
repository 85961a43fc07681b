/** What operators ask of a store that another process has open: {@link StoreAdmin} as plain JSON, one question at a time. */
import { LuciliusError } from '../errors.js'
import { isMessage } from '../message.js'
import type { DeadLetter, StoreAdmin } from '../store.js'

/** One question. */
export type StoreQuestion =
  | { readonly ask: 'report' }
  | {
      readonly ask: 'deadLetters'
      readonly limit: number
      readonly subscription?: string
      readonly after?: string
    }
  | { readonly ask: 'deadLetter' | 'replay' | 'drop'; readonly id: string }
  | { readonly ask: 'removeSubscription'; readonly name: string }

/** Whoever answers them. Rejects with `LUC_STORE_REQUIRED` where there is no store. */
export type AskStore = (question: StoreQuestion) => Promise<unknown>

/** What is answered to `deadLetters`: no more than fits into an answer. */
interface Page {
  readonly letters: readonly DeadLetter[]
  /** There may be more, within the limit that was asked for. */
  readonly cut: boolean
}

/** Bytes of dead letters in one answer, unless a single one has more. */
const PAGE_BYTES = 1024 * 1024

/** Reads a question; undefined for what is none. */
export function toStoreQuestion(value: unknown): StoreQuestion | undefined {
  if (!isMessage(value)) return undefined
  const { ask, id, name, limit, subscription, after } = value
  switch (ask) {
    case 'report':
      return { ask }
    case 'deadLetters':
      if (!Number.isSafeInteger(limit) || !isTextIfAny(subscription) || !isTextIfAny(after)) return undefined
      return {
        ask,
        limit: limit as number, // a safe integer, as was just seen
        ...(subscription === undefined ? {} : { subscription }),
        ...(after === undefined ? {} : { after }),
      }
    case 'deadLetter':
    case 'replay':
    case 'drop':
      return typeof id === 'string' ? { ask, id } : undefined
    case 'removeSubscription':
      return typeof name === 'string' ? { ask, name } : undefined
    default:
      return undefined
  }
}

/** Answers from the store of this process, if it has one. */
export function askingStore(store: () => Promise<StoreAdmin | undefined>): AskStore {
  return async (question) => {
    const admin = await store()
    if (admin === undefined) throw noStore()
    try {
      return await answer(admin, question)
    } catch (error) {
      if (error instanceof LuciliusError) throw error
      throw new LuciliusError('LUC_STORE_FAILED', `The store did not answer: ${messageOf(error)}`, { cause: error })
    }
  }
}

/** A store that is asked elsewhere, as if it were here: it is the same version of lucilius that answers. */
export function adminOver(ask: AskStore): StoreAdmin {
  return {
    report: () => ask({ ask: 'report' }) as ReturnType<StoreAdmin['report']>,
    deadLetters: (wish) => allPages(ask, wish),
    deadLetter: (id) => ask({ ask: 'deadLetter', id }) as ReturnType<StoreAdmin['deadLetter']>,
    replay: (id) => ask({ ask: 'replay', id }) as Promise<boolean>,
    drop: (id) => ask({ ask: 'drop', id }) as Promise<boolean>,
    removeSubscription: (name) => ask({ ask: 'removeSubscription', name }) as Promise<boolean>,
  }
}

/** The error of a process that is asked for its store and has none. */
export function noStore(): LuciliusError {
  return new LuciliusError('LUC_STORE_REQUIRED', 'What runs here has no store: its deployment describes none.')
}

function answer(admin: StoreAdmin, question: StoreQuestion): Promise<unknown> {
  switch (question.ask) {
    case 'report':
      return admin.report()
    case 'deadLetters':
      return admin.deadLetters(question).then((letters) => firstPage(letters))
    case 'deadLetter':
      return admin.deadLetter(question.id)
    case 'replay':
      return admin.replay(question.id)
    case 'drop':
      return admin.drop(question.id)
    case 'removeSubscription':
      return admin.removeSubscription(question.name)
  }
}

function firstPage(letters: readonly DeadLetter[]): Page {
  let bytes = 0
  const beyond = letters.findIndex((letter) => {
    const isFirst = bytes === 0
    bytes += Buffer.byteLength(JSON.stringify(letter))
    return !isFirst && bytes > PAGE_BYTES
  })
  return beyond === -1 ? { letters, cut: false } : { letters: letters.slice(0, beyond), cut: true }
}

async function allPages(
  ask: AskStore,
  { limit, subscription, after }: Parameters<StoreAdmin['deadLetters']>[0],
): Promise<readonly DeadLetter[]> {
  const all: DeadLetter[] = []
  for (;;) {
    const last = all.at(-1)?.id ?? after
    const { letters, cut } = (await ask({
      ask: 'deadLetters',
      limit: limit - all.length,
      ...(subscription === undefined ? {} : { subscription }),
      ...(last === undefined ? {} : { after: last }),
    })) as Page
    all.push(...letters)
    if (!cut || all.length >= limit) return all
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function isTextIfAny(value: unknown): value is string | undefined {
  return value === undefined || typeof value === 'string'
}
