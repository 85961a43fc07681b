import type { RawData, WebSocket } from 'ws'
import {
  type Call,
  type Connection,
  type DirectCall,
  type Envelope,
  Hearing,
  LuciliusError,
  type Message,
  type Observer,
  type Outcome,
  promised,
} from '../../lib/transport-kit.js'
import { Answerer } from './answerer.js'
import { Caller } from './caller.js'
import { CloseCode } from './close-code.js'
import { Events } from './events.js'
import { Flow } from './flow.js'
import { ENVELOPE_BYTES } from './frame-limits.js'
import type { FrameWriter } from './frame-writer.js'
import { Heartbeat } from './heartbeat.js'
import { Introduction } from './introduction.js'
import { Outbox } from './outbox.js'
import { type Reader, readFrame } from './reading.js'
import { readRoom } from './room.js'
import { isEventRow, isReplyRow, type Row } from './row.js'
import type { Limits } from './settings.js'

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
  readonly #events: Events
  readonly #introduction: Introduction
  readonly #hearing: Hearing
  readonly #observer: Observer
  readonly #closed: Promise<void>
  #closing = false
  #sentAway = false
  #stray = 0
  /** Runs until a peer has told what it is, where it has to. */
  #expected: NodeJS.Timeout | undefined
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
    this.#heartbeat = new Heartbeat(socket, new Flow(writer.stream), limits.pingMs)
    this.#caller = new Caller(this.#outbox, limits)
    this.#observer = attach(this)
    const stray = (error: LuciliusError) => this.#refuse(undefined, error)
    this.#answerer = new Answerer(this.#observer, this.#outbox, limits, stray)
    this.#events = new Events(this.#observer, this.#outbox, limits.maxBytes, stray)
    this.#hearing = new Hearing((announcement) => this.#meet(announcement as Message))
    this.#introduction = new Introduction(this.#observer, this.#outbox, limits)
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
      if (this.#closing || this.#socket.readyState !== this.#socket.OPEN) {
        throw new LuciliusError('LUC_UNREACHABLE', 'The connection is closed.')
      }
      if (envelope.kind === 'act') {
        this.#caller.act(envelope, call)
        return
      }
      this.#events.send(envelope, this.#caller.room)
    } catch (error) {
      // What speaks against it names the reason.
      call.fail(error)
      return
    }
    call.settle(HANDED_OVER)
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
      if (this.#introduction.begun) await this.#sayGoodbye()
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
    this.#hearing.stop()
    this.#outbox.flush()
    this.#socket.close(code, reason)
    this.#endSoon()
  }

  /**
   * Tells what we are. The connecting side begins, the listening side does it when it has heard that: whoever is connected
   * is known at both ends.
   */
  introduce(): void {
    this.#introduction.begin()
  }

  /** Sends away whoever says nothing that can be understood in time. One who only asks need not tell what it is. */
  expect(): void {
    const late = () => this.sendAway(CloseCode.protocol, 'No message came in time.')
    this.#expected = setTimeout(late, this.#limits.handshakeTimeoutMs)
  }

  get done(): boolean {
    return this.#sentAway
  }

  take(message: Message): void {
    this.#met()
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
        this.#events.take(message)
        return
      case 'events':
        if (this.#manner === 'peer') this.#events.takeTable(message)
        else this.#refuse(undefined, new LuciliusError('LUC_WIRE_INVALID', PEERS_ONLY))
        return
      case 'announcement':
        this.#hear(message)
        return
      default:
        this.#refuse(message.id, new LuciliusError('LUC_WIRE_INVALID', "The frame has no known 'kind'."))
    }
  }

  takeRow(row: Row): void {
    this.#met()
    if (this.#manner !== 'peer') this.#refuse(undefined, new LuciliusError('LUC_WIRE_INVALID', PEERS_ONLY))
    else if (isEventRow(row)) this.#events.takeRow(row)
    else if (isReplyRow(row)) this.#caller.settleRow(row)
    else if (!this.#answerer.actRow(row)) this.sendAway(CloseCode.protocol, ID_IN_USE)
  }

  refuse(kind: unknown, id: unknown, error: LuciliusError): void {
    if (kind !== 'reply') this.#refuse(id, error)
    else if (this.#caller.awaits(id)) this.#caller.settle({ id, error: null })
    else this.#bear()
  }

  /** Answers what could not be understood, as long as there is not too much of it. */
  #refuse(id: unknown, error: LuciliusError): void {
    if (this.#bear()) this.#answerer.refuse(id, error)
  }

  /** Counts what could not be understood. Gives false once it was too much. */
  #bear(): boolean {
    if (++this.#stray <= MOST_STRAY) return true
    this.sendAway(CloseCode.protocol, 'Too many frames could not be understood.')
    return false
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
    this.#events.renew()
    try {
      this.#outbox.collect(() => readFrame(text, this.#limits, this))
    } catch (error) {
      if ((error as LuciliusError).code === 'LUC_TOO_LARGE') this.sendAway(CloseCode.tooLarge, TOO_LARGE)
      else this.sendAway(CloseCode.protocol, 'The frame is not JSON.')
    }
  }

  #hear(message: Message): void {
    if (this.#manner === 'silent') return
    if (this.#manner === 'client') {
      this.sendAway(CloseCode.forbidden, CLIENTS_ONLY)
      return
    }
    this.#hearing.hear(message)
  }

  #met(): void {
    if (this.#expected === undefined) return
    clearTimeout(this.#expected)
    this.#expected = undefined
  }

  /** Takes what a peer tells of itself. */
  #meet(message: Message): void {
    // What was written before it was heard arrives before the pong to the ping that follows: see `close`.
    this.#outbox.flush()
    try {
      this.#observer.hear(message)
    } catch (error) {
      // The other end may see by itself what is wrong: another version, or this very app.
      this.#introduction.begin()
      this.sendAway(CloseCode.announcement, 'The announcement was refused.')
      this.onHeard?.(error)
      return
    }
    this.#introduction.begin()
    const room = readRoom(message, this.#limits)
    this.#caller.fit(room)
    this.#outbox.fit(room.maxBytes + ENVELOPE_BYTES)
    if (message.draining === true) {
      this.#caller.refuseHeld(new LuciliusError('LUC_SERVICE_CLOSED', 'The peer is closing and takes no new work.'))
    }
    this.onHeard?.()
  }

  async #sayGoodbye(): Promise<void> {
    this.#introduction.leave()
    await this.#heartbeat.crossed()
    await this.#answerer.idle()
  }

  #gone(code: number, reason: string): void {
    this.#closing = true
    clearTimeout(this.#expected)
    this.#hearing.stop()
    this.#heartbeat.stop()
    this.#introduction.stop()
    this.#caller.lost()
    this.#answerer.lost()
    this.#observer.lost()
    this.onGone?.(code, reason)
  }
}

const HANDED_OVER: Outcome = Object.freeze({})

const TOO_LARGE = 'The frame has too many bytes.'
const ID_IN_USE = 'The id of an act is in use.'
const PEERS_ONLY = 'A frame holds objects; only between peers a message may be a list, or events a table.'
const CLIENTS_ONLY = "This listener serves clients. Open it with { audience: 'peers' } to let other apps connect."
