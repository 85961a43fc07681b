import type { Socket } from 'node:net'
import { type HearCarried, hearingCarried } from '../../dispatch/carried.js'
import { LuciliusError } from '../../errors.js'
import { toWireError } from '../../wire-error.js'
import type { PassedBatch } from '../passing.js'
import { noStore } from '../store-questions.js'
import { readLines } from './bounded-lines.js'
import type { Controlled } from './controlled.js'
import { type About, type ControlAnswer, type ControlRequest, isBroken, toLine, toRequest } from './protocol.js'

/** Questions of one socket that are worked on at the same time. */
const MOST_AT_ONCE = 256
/** Bytes that may wait for one who does not read. */
const MOST_WAITING = 16 * 1024 * 1024
/** The same for what passes, which is only counted from there on. */
const MOST_PASSED_WAITING = 1024 * 1024

/** A question that has no answer yet. */
interface Open {
  readonly id: number
  readonly cancel: AbortController
}

/** What an answer says beside its id. */
type Said = Omit<ControlAnswer, 'id'>

/** Answers what comes on a socket, until that is closed: what is still asked then is given up. */
export function answerAll(socket: Socket, what: string, controlled: Controlled): void {
  const running = new Set<Open>()
  const send = (answer: ControlAnswer) => {
    if (!socket.writable) return
    socket.write(lineOf(answer))
    if (socket.writableLength > MOST_WAITING) socket.destroy()
  }
  socket.on('error', () => {}) // 'close' follows
  socket.once('close', () => {
    for (const { cancel } of running) cancel.abort()
  })
  const isBehind = () => socket.writableLength > MOST_PASSED_WAITING
  readLines(socket, {
    tooLong: () => {
      send({ error: toWireError(new LuciliusError('LUC_TOO_LARGE', 'The line has more than 4 MiB.')) })
      socket.destroySoon()
    },
    line: (text) => {
      const request = toRequest(text)
      if (isBroken(request)) {
        const { id, error } = request
        return send({ ...(id === undefined ? {} : { id }), error: toWireError(error) })
      }
      const { id } = request
      if (request.op === 'cancel') return send({ id, reply: cancelOne(running, request.of) })
      if (running.size >= MOST_AT_ONCE) return send({ id, error: toWireError(overloaded()) })
      const open = { id, cancel: new AbortController() }
      running.add(open)
      const { signal } = open.cancel
      const tell = (passed: PassedBatch) => send({ id, passed })
      const looked =
        request.op === 'trace'
          ? untilCancelled(controlled, signal, bounded(tell, isBehind), (begun) => send({ id, begun }))
          : undefined
      void (looked ?? answer(request, what, controlled, signal))
        .catch((error: unknown): Said => ({ error: toWireError(error) }))
        .then((said) => send({ id, ...said }))
        .finally(() => running.delete(open))
    },
  })
}

function cancelOne(running: ReadonlySet<Open>, id: number): boolean {
  const open = [...running].find((one) => one.id === id)
  open?.cancel.abort()
  return open !== undefined
}

async function answer(
  request: ControlRequest,
  what: string,
  controlled: Controlled,
  signal: AbortSignal,
): Promise<Said> {
  const { app, about, store } = controlled
  switch (request.op) {
    case 'about':
      return { reply: { ...about(), what, pid: process.pid } satisfies About }
    case 'list':
      return { reply: app.list(request.pattern) }
    case 'explain':
      return { reply: app.explain(request.message) }
    case 'act':
      return act(request, controlled, signal)
    case 'store':
      if (store === undefined) throw noStore()
      return { reply: await store(request.question) }
    default:
      throw new Error(`'${request.op}' is answered elsewhere.`)
  }
}

/** Acts, and tells by whom it was answered and how long that took; also if it failed. */
async function act(
  { message, timeoutMs }: Extract<ControlRequest, { readonly op: 'act' }>,
  { app, processOf }: Controlled,
  signal: AbortSignal,
): Promise<Said> {
  let by: string | undefined
  const hear: HearCarried = (where) => {
    by = processOf?.(where) ?? (where === 'here' ? undefined : where.name)
  }
  const begin = performance.now()
  const facts = () => ({ ...(by === undefined ? {} : { by }), ms: performance.now() - begin })
  const options = hearingCarried({ signal, ...(timeoutMs === undefined ? {} : { timeoutMs }) }, hear)
  try {
    const reply = await app.act(message, {}, options)
    return { reply, ...facts() }
  } catch (error) {
    return { error: toWireError(error), ...facts() }
  }
}

/** Tells what passes, and before it who tells. Resolves when that is not wanted any more and all has been told. */
async function untilCancelled(
  { lookOn }: Controlled,
  signal: AbortSignal,
  tell: (batch: PassedBatch) => void,
  tellBegun: (ids: readonly string[]) => void,
): Promise<Said> {
  if (lookOn === undefined) throw new LuciliusError('LUC_WIRE_INVALID', 'What runs here does not tell what passes.')
  const cancelled = new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
  const { begun, stop } = lookOn(tell)
  tellBegun(await begun)
  await cancelled
  await stop()
  return {}
}

/** For one who reads too slowly, what passes is only counted until it has caught up. */
function bounded(tell: (batch: PassedBatch) => void, isBehind: () => boolean): (batch: PassedBatch) => void {
  let missed = 0
  return (batch) => {
    if (isBehind()) {
      missed += batch.passed.length + batch.dropped
      return
    }
    tell({ ...batch, dropped: batch.dropped + missed })
    missed = 0
  }
}

function lineOf(answer: ControlAnswer): string {
  try {
    return toLine(answer)
  } catch (error) {
    return toLine({ ...(answer.id === undefined ? {} : { id: answer.id }), error: toWireError(error) })
  }
}

function overloaded(): LuciliusError {
  return new LuciliusError('LUC_OVERLOADED', `More than ${MOST_AT_ONCE} questions at once on one socket.`)
}
