import type { RawData, WebSocket } from 'ws'
import {
  type Call,
  type Connection,
  type DirectCall,
  type Envelope,
  type EventEnvelope,
  LuciliusError,
  type Message,
  type Observer,
  type Outcome,
  promised,
  receiveDirect,
  toEnvelope,
} from '../../lib/transport-kit.js'
import { Answerer } from './answerer.js'
import { Caller, unreachable } from './caller.js'
import { CloseCode } from './close-code.js'
import { ANNOUNCEMENT, announcementText, eventText } from './frame-text.js'
import type { FrameWriter } from './frame-writer.js'
import { Heartbeat } from './heartbeat.js'
import { isLonger } from './length.js'
import { Outbox } from './outbox.js'
import { type Reader, readFrame } from './reading.js'
import { readRoom } from './room.js'
import { eventOf, eventRow, isEventRow, isReplyRow, plainEvent, type Row } from './row.js'
import type { Limits } from './settings.js'
import { messagesOf } from './table.js'

/** Bytes of a frame beside its message: ids, trace, identity. */
export const ENVELOPE_BYTES = 16 * 1024

/** Bytes of an announcement of 10,000 patterns. */
export const ANNOUNCEMENT_BYTES = 16 * 1024 * 1024

/** Milliseconds that a goodbye may take. */
const GOODBYE_MS = 2000

/** Frames without a usable id that are answered before their sender is sent away. */
const MOST_STRAY = 100

/**
 * What the other end is: a peer is told what we are and tells what it is; a client only acts; of a silent one we know
 * all there is to know.
 */
export type Manner = 'peer' | 'client' | 'silent'

/** One open socket: acts, replies and events in both directions. */
export class Link implements Connection, Reader {
  readonly #socket: WebSocket
  readonly #limits: Limits
  readonly #manner: Manner
  readonly #outbox: Outbox
  readonly #heartbeat: Heartbeat
  readonly #caller: Caller
  readonly #answerer: Answerer
  readonly #observer: Observer
  readonly #closed: Promise<void>
  #stopTelling: (() => void) | undefined
  #closing = false
  #sentAway = false
  #stray = 0
  /** Called when the other end told what it is, with the error if it may not be talked to. */
  onHeard: ((error?: unknown) => void) | undefined
  /** Called once when the socket is closed. */
  onGone: ((code: number, reason: string) => void) | undefined

  /** `attach` gives the app's half of the connection, to which this is the other. */
  constructor(
    socket: WebSocket,
    writer: FrameWriter,
    limits: Limits,
    manner: Manner,
    attach: (connection: Connection) => Observer,
  ) {
    this.#socket = socket
    this.#limits = limits
    this.#manner = manner
    this.#outbox = new Outbox(socket, writer, limits.maxBuffered)
    this.#heartbeat = new Heartbeat(socket, limits.pingMs)
    this.#caller = new Caller(this.#outbox, limits)
    this.#observer = attach(this)
    this.#answerer = new Answerer(this.#observer, this.#outbox, limits)
    this.#closed = new Promise((resolve) => {
      socket.once('close', (code, reason) => {
        this.#gone(code, reason.toString())
        resolve()
      })
    })
    socket.on('message', (data, isBinary) => this.#onMessage(data, isBinary))
    socket.on('pong', (data) => this.#heartbeat.pong(data))
    socket.on('ping', () => this.#heartbeat.heard())
    // What is wrong with a frame ws answers itself, by closing with the code for it.
    socket.on('error', () => this.#endSoon())
  }

  carry(envelope: Envelope, call: Call): Promise<Outcome> {
    return promised(call, (direct) => this.carryDirect(envelope, direct))
  }

  carryDirect(envelope: Envelope, call: DirectCall): void {
    try {
      if (this.#closing || this.#socket.readyState !== this.#socket.OPEN) throw unreachable()
      if (envelope.kind === 'act') this.#caller.act(envelope, call)
      else this.#event(envelope, call)
    } catch (error) {
      // What speaks against it names the reason.
      call.fail(error)
    }
  }

  ping(): Promise<void> {
    return this.#heartbeat.ask()
  }

  /**
   * Says goodbye and closes. A peer is first told to send nothing more; once it has heard that, all it had sent before
   * is here, and is answered.
   */
  async close(): Promise<void> {
    const timer = setTimeout(() => this.#socket.terminate(), GOODBYE_MS)
    if (!this.#closing && this.#socket.readyState === this.#socket.OPEN) {
      this.#closing = true
      if (this.#stopTelling !== undefined) await this.#sayGoodbye()
      this.#outbox.flush()
      this.#socket.close(CloseCode.goingAway)
    }
    await this.#closed
    clearTimeout(timer)
  }

  /** Ends the connection for a reason that lies with the other end. What it says from now on is not heard. */
  sendAway(code: number, reason: string): void {
    if (this.#sentAway) return
    this.#sentAway = true
    this.#closing = true
    this.#outbox.flush()
    this.#socket.close(code, reason)
    this.#endSoon()
  }

  take(message: Message): void {
    if (this.#sentAway) return
    switch (message.kind) {
      case 'reply':
        this.#caller.settle(message)
        return
      case 'act':
        if (!this.#answerer.act(message)) this.sendAway(CloseCode.protocol, ID_IN_USE)
        return
      case 'cancel':
        this.#answerer.cancel(message.id)
        return
      case 'event':
        this.#observe(message, toEventEnvelope)
        return
      case 'events':
        this.#observeTable(message)
        return
      case 'announcement':
        this.#hear(message)
        return
      default:
        this.refuse(undefined, message.id, new LuciliusError('LUC_WIRE_INVALID', "The frame has no known 'kind'."))
    }
  }

  takeRow(row: Row): void {
    if (this.#sentAway) return
    if (this.#manner !== 'peer') this.refuse(undefined, undefined, new LuciliusError('LUC_WIRE_INVALID', PEERS_ONLY))
    else if (isEventRow(row)) this.#observe(row, eventOf)
    else if (isReplyRow(row)) this.#caller.settleRow(row)
    else if (!this.#answerer.actRow(row)) this.sendAway(CloseCode.protocol, ID_IN_USE)
  }

  refuse(kind: unknown, id: unknown, error: LuciliusError): void {
    if (this.#sentAway) return
    if (kind === 'reply') {
      this.#caller.settle({ id, error: null })
      return
    }
    if (++this.#stray > MOST_STRAY) this.sendAway(CloseCode.protocol, 'Too many frames could not be understood.')
    else this.#answerer.refuse(id, error)
  }

  /** Whoever does not answer a close frame is not waited for. */
  #endSoon(): void {
    setTimeout(() => this.#socket.terminate(), GOODBYE_MS).unref()
  }

  #onMessage(data: RawData, isBinary: boolean): void {
    if (this.#sentAway) return
    this.#heartbeat.heard()
    if (isBinary) {
      this.sendAway(CloseCode.binary, 'Frames are text.')
      return
    }
    // ws gives text as one Buffer, and has seen that it is UTF-8.
    const text = (data as Buffer).toString()
    const { maxBytes, maxDepth } = this.#limits
    const most = text.startsWith(ANNOUNCEMENT) ? ANNOUNCEMENT_BYTES : maxBytes + ENVELOPE_BYTES
    if (isLonger(text, most)) {
      this.sendAway(CloseCode.tooLarge, `A frame has at most ${most} bytes.`)
      return
    }
    try {
      this.#outbox.collect(() => readFrame(text, { maxBytes: most, maxDepth }, this))
    } catch {
      this.sendAway(CloseCode.protocol, 'The frame is not JSON.')
    }
  }

  #event(envelope: EventEnvelope, call: DirectCall): void {
    if (this.#outbox.full) {
      const what = 'The peer does not read as fast as it is sent to: the event was dropped.'
      throw new LuciliusError('LUC_OVERLOADED', what)
    }
    const { rows, tables } = this.#caller.room
    const row = rows ? eventRow(envelope) : eventText(envelope)
    this.#outbox.pushIdle(tables || typeof row === 'string' ? row : row.text)
    call.settle(HANDED_OVER)
  }

  #observe<T>(told: T, read: (told: T) => Envelope): void {
    try {
      receiveDirect(this.#observer, read(told), UNWATCHED)
    } catch (error) {
      // Reading it throws nothing but the LuciliusError that says what is wrong.
      this.refuse('event', undefined, error as LuciliusError)
    }
  }

  #observeTable(table: Message): void {
    try {
      if (this.#manner !== 'peer') throw new LuciliusError('LUC_WIRE_INVALID', PEERS_ONLY)
      const messages = messagesOf(table, this.#limits.maxBytes + ENVELOPE_BYTES)
      for (const message of messages) receiveDirect(this.#observer, plainEvent(message), UNWATCHED)
    } catch (error) {
      // Nor does this throw anything else.
      this.refuse('events', undefined, error as LuciliusError)
    }
  }

  /**
   * Tells what we are, now and at each change. The connecting side begins, the listening side does it when it has heard
   * that: whoever is connected is known at both ends.
   */
  introduce(): void {
    if (this.#stopTelling !== undefined) return
    this.#tell(false)
    this.#stopTelling = this.#observer.onTell(() => this.#tell(false))
  }

  #tell(leaving: boolean): void {
    const announcement = this.#observer.tell()
    const told = leaving ? { ...announcement, draining: true } : announcement
    // A frame of its own, which may be longer than others.
    this.#outbox.flush()
    this.#outbox.push(announcementText(told, this.#limits), 0)
  }

  #hear(message: Message): void {
    if (this.#manner === 'silent') return
    if (this.#manner === 'client') {
      this.sendAway(CloseCode.forbidden, CLIENTS_ONLY)
      return
    }
    // What was written before it was heard arrives before the pong to the ping that follows: see `close`.
    this.#outbox.flush()
    try {
      this.#observer.hear(message)
    } catch (error) {
      // The other end may see by itself what is wrong: another version, or this very app.
      this.introduce()
      this.sendAway(CloseCode.announcement, 'The announcement was refused.')
      this.onHeard?.(error)
      return
    }
    this.introduce()
    this.#caller.fit(readRoom(message, this.#limits))
    if (message.draining === true) {
      this.#caller.refuseHeld(new LuciliusError('LUC_SERVICE_CLOSED', 'The peer is closing and takes no new work.'))
    }
    this.onHeard?.()
  }

  async #sayGoodbye(): Promise<void> {
    this.#stopTelling?.()
    this.#tell(true)
    await this.#heartbeat.crossed()
    if (this.#answerer.idle) return
    await Promise.race([
      this.#closed,
      new Promise<void>((resolve) => {
        this.#answerer.onIdle = resolve
      }),
    ])
  }

  #gone(code: number, reason: string): void {
    this.#closing = true
    this.#heartbeat.stop()
    this.#stopTelling?.()
    this.#caller.lost()
    this.#answerer.lost()
    this.#observer.lost()
    this.onGone?.(code, reason)
  }
}

/** The event that an object stands for; clients need not name services. */
function toEventEnvelope(message: Message): Envelope {
  return toEnvelope(message.services === undefined ? { ...message, services: [] } : message)
}

const HANDED_OVER: Outcome = Object.freeze({})

/** Nobody waits for what becomes of an event. */
const UNWATCHED: DirectCall = { onCancel: undefined, settle: () => {}, fail: () => {} }

const ID_IN_USE = 'The id of an act is in use.'
const PEERS_ONLY = 'A frame holds objects; only between peers a message may be a list, or events a table.'
const CLIENTS_ONLY = "This listener serves clients. Open it with { audience: 'peers' } to let other apps connect."
