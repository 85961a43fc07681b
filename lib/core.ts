import { Boot } from './boot.js'
import { CloseHooks } from './close-hooks.js'
import { Connections } from './connections.js'
import { forEachWaiting } from './deadline.js'
import { Call, describe } from './dispatch/call.js'
import type { Within } from './dispatch/context.js'
import { Dispatcher } from './dispatch/dispatcher.js'
import { followedCall } from './dispatch/followed.js'
import { foreignWraps } from './dispatch/foreign-wraps.js'
import type { Running } from './dispatch/running.js'
import type { Hearing } from './dispatch/sent-by.js'
import type { Wrap } from './dispatch/wraps.js'
import { LuciliusError } from './errors.js'
import { DurableLife } from './events/durable-life.js'
import { Events } from './events/events.js'
import { StoreLife } from './events/store-life.js'
import { nearestPatterns, textOf } from './explain.js'
import { LifeCycle } from './life-cycle.js'
import type { Message } from './message.js'
import type { Settings } from './options.js'
import type { Gate } from './peers/gate.js'
import { Parking } from './peers/parking.js'
import { Peers } from './peers/peers.js'
import { Plugins } from './plugin.js'
import { ascending, PluginUse } from './plugin-use.js'
import { Unanswered } from './unanswered.js'

/** What an app does beyond its own needs, for whoever runs it; nothing of it costs an app that nobody runs. */
export interface Watch {
  readonly running: Running
  readonly hear: Hearing | undefined
  readonly quietConnections: boolean
}

/** The parts of one app, made and joined. What users see of it are views. */
export class Core {
  readonly settings: Settings
  readonly dispatcher: Dispatcher
  readonly events: Events
  readonly store: StoreLife
  readonly durableLife: DurableLife
  readonly connections: Connections
  readonly boot = new Boot()
  readonly plugins = new Plugins()
  readonly hooks = new CloseHooks()
  readonly parking: Parking
  readonly life: LifeCycle
  /** What is registered with the app and by no plugin. */
  readonly self: PluginUse
  /** The plugins that stand by themselves, by name. */
  readonly uses = new Map<string, PluginUse>()
  readonly running: Running | undefined
  readonly hear: Hearing | undefined
  /** Stands before a plugin while it is replaced. */
  gate: Gate | undefined
  /** Settles when the last replacement has ended. */
  replaced: Promise<void> | undefined
  #warned = false
  /** Wraps that were warned of. */
  readonly #foreign = new WeakSet<Wrap>()

  constructor(settings: Settings, watch?: Watch) {
    this.settings = settings
    this.running = watch?.running
    this.hear = watch?.hear
    this.self = new PluginUse(settings.name, settings.log, { standing: 'in', orders: ascending(), boot: this.boot })
    const parking = new Parking(settings.park, settings.log)
    this.parking = parking
    const unanswered = new Unanswered(parking, settings, {
      mayCome: () => !this.dispatcher.books.closed && (settings.park.unknown || this.connections.learning > 0),
      notFound: (message) => this.notFound(message),
    })
    const emit: Within['emit'] = (...event) => this.events.emit(...event)
    this.dispatcher = new Dispatcher(settings, unanswered.hold, emit, watch?.running.follow)
    this.store = new StoreLife(settings)
    this.events = new Events(this.dispatcher, settings, this.store, (emission, taken) => peers.emit(emission, taken))
    this.durableLife = new DurableLife(this.events, this.store)
    const { durableLife } = this
    const peers = new Peers(this.dispatcher, this.events, settings, parking, () => this.life.isStarting)
    this.connections = new Connections(peers, settings, watch?.quietConnections === true)
    this.life = new LifeCycle(
      this.boot,
      this.hooks,
      {
        prepare: () => durableLife.prepare(),
        serve: () => durableLife.serve(),
        giveUp: () => durableLife.giveUp(),
        settled: () => this.replaced,
        opened: () => {
          peers.opened()
          durableLife.go()
          this.warnOfForeignWraps()
        },
        drain: () => {
          peers.drain()
          durableLife.drain()
          this.connections.drain()
        },
        idle: () => this.dispatcher.books.idle(),
        abort: () => {
          this.dispatcher.books.closed = true
          this.#abort()
          durableLife.abort()
          parking.wake()
        },
        disconnect: () => this.connections.close().finally(() => durableLife.close()),
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

  /** The error for a message that nobody answers. */
  notFound(message: Message): LuciliusError {
    if (this.dispatcher.books.closed) return this.life.closed()
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
