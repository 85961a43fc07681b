import {
  DiscardPolicy,
  type JetStreamManager,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
} from '@nats-io/jetstream'
import { LuciliusError, type StoreHost } from '../../../lib/transport-kit.js'
import type { Link } from './link.js'
import type { Names } from './names.js'
import { type StoreSettings, storeDefaults } from './settings.js'
import { Refused, refusals } from './unanswered.js'

/** A stream that the store needs. */
interface Plan {
  readonly name: string
  readonly description: string
  readonly subjects: readonly string[]
  /** It keeps the last message of each subject only. */
  readonly lastOnly: boolean
  /** Without what it has events would be lost, or kept from whom they are for. */
  readonly isVital: boolean
  readonly maxAgeMs: number
  readonly maxBytes: number
}

/** The streams of a space: made where they are missing, taken as they are where they do no harm. */
export class Streams {
  readonly #link: Link
  readonly #settings: StoreSettings
  readonly #plans: readonly Plan[]
  readonly #log: StoreHost['log']
  #ensuring: Promise<void> | undefined
  #epoch = ''

  constructor(link: Link, names: Names, settings: StoreSettings, log: StoreHost['log']) {
    this.#link = link
    this.#settings = settings
    this.#plans = plansOf(names, settings)
    this.#log = log
  }

  /** Another one as soon as the events were lost with their stream, and a new stream was made. */
  get epoch(): string {
    return this.#epoch
  }

  /** Makes what is missing. Rejects with `Unanswered`, `Refused`, and `LUC_STORE_FAILED` for a stream that is of no use. */
  ensure(): Promise<void> {
    this.#ensuring ??= this.#ensureAll().finally(() => {
      this.#ensuring = undefined
    })
    return this.#ensuring
  }

  async #ensureAll(): Promise<void> {
    const [events] = await Promise.all(this.#plans.map((plan) => this.#ensureOne(plan)))
    this.#epoch = events ?? ''
  }

  /** Resolves with when it was made. */
  async #ensureOne(plan: Plan): Promise<string> {
    return this.#link.manage(plan.name, async (manager) => {
      const found = await find(manager, plan.name)
      if (found !== undefined) return this.#adopt(manager, plan, found)
      return this.#add(manager, plan)
    })
  }

  async #add(manager: JetStreamManager, plan: Plan): Promise<string> {
    try {
      const { created } = await manager.streams.add(toConfig(plan, this.#settings))
      return created
    } catch (error) {
      // Another instance was first, with other settings.
      const found = isRefusal(error, refusals.otherConfiguration) ? await find(manager, plan.name) : undefined
      if (found === undefined) throw error
      return this.#adopt(manager, plan, found)
    }
  }

  /** What an app says explicitly is brought up to date, all else is the decision of whoever made the stream. */
  async #adopt(manager: JetStreamManager, plan: Plan, { config, created }: Found): Promise<string> {
    const change = changeOf(plan, config, this.#settings)
    refuseHarmful(plan, { ...config, ...change })
    if (change !== undefined) {
      await manager.streams.update(plan.name, change)
      this.#log('info', { stream: plan.name, change }, `Brought the stream ${plan.name} up to date.`)
    }
    return created
  }
}

interface Found {
  readonly config: StreamConfig
  readonly created: string
}

async function find(manager: JetStreamManager, name: string): Promise<Found | undefined> {
  try {
    return await manager.streams.info(name)
  } catch (error) {
    if (isRefusal(error, refusals.streamNotFound)) return undefined
    throw error
  }
}

/** Within {@link Link.manage} errors are still those of the client. */
function isRefusal(error: unknown, code: number): boolean {
  return (error instanceof Refused || error instanceof Error) && 'code' in error && error.code === code
}

function plansOf({ streams }: Names, settings: StoreSettings): readonly Plan[] {
  const { maxAgeMs = storeDefaults.maxAgeMs, maxBytes = -1 } = settings
  const space = `lucilius.${settings.space}`
  const unbounded = { maxAgeMs: 0, maxBytes: -1 }
  return [
    {
      name: streams.events,
      description: 'Durable events, and dead letters that are delivered again.',
      subjects: [`${space}.event.*`, `${space}.replay.*`],
      lastOnly: false,
      isVital: true,
      maxAgeMs,
      maxBytes,
    },
    {
      name: streams.retained,
      description: 'The last event of each declaration and key.',
      subjects: [`${space}.retained.*.*`],
      lastOnly: true,
      isVital: true,
      ...unbounded,
    },
    {
      name: streams.dead,
      description: 'Dead letters, until they are delivered again or dropped.',
      subjects: [`${space}.dead.*`],
      lastOnly: false,
      isVital: true,
      ...unbounded,
    },
    {
      name: streams.failures,
      description: 'What failed so far of events that are still tried.',
      subjects: [`${space}.failures.*.*`],
      lastOnly: true,
      isVital: false,
      maxAgeMs,
      maxBytes: -1,
    },
    {
      name: streams.state,
      description: 'Which subscriptions there are, and where the ordered ones are.',
      subjects: [`${space}.state.*.*`],
      lastOnly: true,
      isVital: true,
      ...unbounded,
    },
  ]
}

function toConfig(plan: Plan, settings: StoreSettings): Partial<StreamConfig> & { name: string } {
  const { replicas = storeDefaults.replicas } = settings
  return {
    name: plan.name,
    description: plan.description,
    subjects: [...plan.subjects],
    storage: StorageType.File,
    retention: RetentionPolicy.Limits,
    // Full means full: what was stored is not dropped to make room.
    discard: plan.lastOnly ? DiscardPolicy.Old : DiscardPolicy.New,
    max_msgs_per_subject: plan.lastOnly ? 1 : -1,
    max_age: toNanos(plan.maxAgeMs),
    max_bytes: plan.maxBytes,
    duplicate_window: toNanos(windowOf(plan, settings)),
    num_replicas: replicas,
    allow_direct: false,
  }
}

/** JetStream takes no window that is longer than the age. */
function windowOf({ maxAgeMs }: Plan, { duplicatesMs = storeDefaults.duplicatesMs }: StoreSettings): number {
  return maxAgeMs === 0 ? duplicatesMs : Math.min(duplicatesMs, maxAgeMs)
}

function changeOf(plan: Plan, config: StreamConfig, settings: StoreSettings): Partial<StreamConfig> | undefined {
  const { maxAgeMs, maxBytes, replicas, duplicatesMs } = settings
  const wished: Partial<StreamConfig> = {
    ...(maxAgeMs !== undefined && plan.maxAgeMs > 0 && { max_age: toNanos(plan.maxAgeMs) }),
    ...(maxBytes !== undefined && plan.maxBytes > 0 && { max_bytes: plan.maxBytes }),
    ...(replicas !== undefined && { num_replicas: replicas }),
    ...(duplicatesMs !== undefined && { duplicate_window: toNanos(windowOf(plan, settings)) }),
    ...(!plan.subjects.every((subject) => config.subjects.includes(subject)) && { subjects: [...plan.subjects] }),
  }
  const keys = Object.keys(wished) as (keyof StreamConfig)[]
  const changed = keys.filter((key) => JSON.stringify(wished[key]) !== JSON.stringify(config[key]))
  if (changed.length === 0) return undefined
  return Object.fromEntries(changed.map((key) => [key, wished[key]]))
}

/** What would lose events, whoever wanted it. */
function refuseHarmful({ name, lastOnly, isVital }: Plan, config: StreamConfig): void {
  const most = lastOnly ? 1 : -1
  const wrong: string[] = []
  if (config.retention !== RetentionPolicy.Limits) wrong.push(`retention is '${config.retention}', not 'limits'`)
  if (config.no_ack) wrong.push('it acknowledges nothing (no_ack)')
  if (config.sealed) wrong.push('it is sealed')
  if (config.mirror) wrong.push('it is a mirror')
  if (config.max_msgs_per_subject !== most)
    wrong.push(`max_msgs_per_subject is ${config.max_msgs_per_subject}, not ${most}`)
  if (isVital) wrong.push(...forgettingOf(config))
  if (wrong.length === 0) return
  const advice = `Delete it or change it (nats stream edit ${name}), or use another space.`
  throw new LuciliusError(
    'LUC_STORE_FAILED',
    `The stream ${name} exists and cannot be used: ${wrong.join(', ')}. ${advice}`,
    {
      handled: 'no',
    },
  )
}

/** How a stream forgets what it has acknowledged, other than by age. */
function forgettingOf({ storage, discard, max_msgs, max_bytes }: StreamConfig): string[] {
  const wrong: string[] = []
  if (storage === StorageType.Memory) wrong.push("storage is 'memory', not 'file'")
  if (discard !== DiscardPolicy.Old) return wrong
  if (max_msgs > 0) wrong.push(`discard is 'old' with max_msgs ${max_msgs}`)
  if (max_bytes > 0) wrong.push(`discard is 'old' with max_bytes ${max_bytes}`)
  return wrong
}

/** JetStream counts in nanoseconds. */
export function toNanos(ms: number): number {
  return Math.round(ms * 1e6)
}
