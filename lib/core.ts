import { Boot } from './boot.js'
import { Connections } from './connections.js'
import { forEachWaiting } from './deadline.js'
import { Call, describe } from './dispatch/call.js'
import { Dispatcher } from './dispatch/dispatcher.js'
import { followedCall } from './dispatch/followed.js'
import { foreignWraps } from './dispatch/foreign-wraps.js'
import type { Wrap } from './dispatch/wraps.js'
import { LuciliusError } from './errors.js'
import { Events } from './events/events.js'
import { nearestPatterns, textOf } from './explain.js'
import { LifeCycle } from './life-cycle.js'
import type { Message } from './message.js'
import type { Settings } from './options.js'
import { Parking } from './peers/parking.js'
import { Peers } from './peers/peers.js'
import { Plugins } from './plugin.js'
import { Unanswered } from './unanswered.js'

/** The parts of one app, made and joined. What users see of it are views. */
export class Core {
  readonly settings: Settings
  readonly dispatcher: Dispatcher
  readonly events: Events
  readonly connections: Connections
  readonly boot = new Boot()
  readonly plugins = new Plugins()
  readonly life: LifeCycle
  /** Counts registrations. */
  order = 0
  #warned = false
  /** Wraps that were warned of. */
  readonly #foreign = new WeakSet<Wrap>()

  constructor(settings: Settings) {
    this.settings = settings
    const parking = new Parking(settings.park)
    const unanswered = new Unanswered(parking, settings, {
      mayCome: () => !this.dispatcher.books.closed && (settings.park.unknown || this.connections.learning > 0),
      notFound: (message) => (this.dispatcher.books.closed ? this.life.closed() : this.#notFound(message)),
    })
    this.dispatcher = new Dispatcher(settings, unanswered.hold, (...event) => this.events.emit(...event))
    this.events = new Events(this.dispatcher, settings, (emission, taken) => peers.emit(emission, taken))
    const peers = new Peers(this.dispatcher, this.events, settings, parking)
    this.connections = new Connections(peers, settings)
    this.life = new LifeCycle(
      this.boot,
      {
        opened: () => this.warnOfForeignWraps(),
        drain: () => {
          peers.drain()
          this.connections.drain()
        },
        idle: () => this.dispatcher.books.idle(),
        abort: () => {
          this.dispatcher.books.closed = true
          this.#abort()
          parking.wake()
        },
        disconnect: () => this.connections.close(),
      },
      settings,
    )
    settings.log.debug({ parity: settings.strict ? 'strict' : 'off', instance: settings.instance }, 'app made')
  }

  /** Strict parity follows handlers: an act that leaves the context behind loses deadline, trace and identity. */
  warnInsideHandler(): void {
    if (this.#warned || !this.settings.strict) return
    const call = followedCall()
    if (call === undefined || call.settled) return
    this.#warned = true
    this.settings.log.warn(
      { pattern: call.action.pattern.text },
      'app.act inside a handler starts anew, without deadline, trace and identity: use context.act',
    )
  }

  /** Strict parity: what works only as long as services share a process. */
  warnOfForeignWraps(): void {
    if (!this.settings.strict || this.life.phase !== 'open') return
    for (const { wrap, action } of foreignWraps(this.dispatcher.composition)) {
      if (this.#foreign.has(wrap)) continue
      this.#foreign.add(wrap)
      this.settings.log.warn(
        { service: wrap.service, pattern: wrap.pattern.text, action: action.pattern.text },
        `the wrap of '${wrap.service}' also goes around ${action.pattern.text} of '${action.service}', and will not when that runs elsewhere: make it a plugin of its own that every process loads`,
      )
    }
  }

  #notFound(message: Message): LuciliusError {
    const near = nearestPatterns(message, this.dispatcher.actions)
    const hint = near.length > 0 ? ` Nearest: ${near.join('; ')}.` : ''
    const asked = textOf(message)
    return new LuciliusError(
      'LUC_ACTION_NOT_FOUND',
      `No action answers ${asked === '' ? 'a message without scalar pairs' : asked}.${hint}`,
    )
  }

  #abort(): void {
    forEachWaiting((entry) => {
      if (entry instanceof Call && entry.ledger === this.dispatcher.books) {
        entry.cancel('LUC_CANCELLED', `${this.settings.name} closed before ${describe(entry.action)} was done.`)
      }
    })
  }
}
