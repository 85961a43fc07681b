import { randomUUID } from 'node:crypto'
import type { Channel, ConsumeMessage } from 'amqplib'
import { type Discovery, decodeJson, isMessage } from '../../lib/transport-kit.js'
import type { Broker } from './broker.js'
import { type LastingChannel, replaceChannel } from './lasting-channel.js'
import { namesOf } from './names.js'

/**
 * Who listens, without a registry: whoever looks for listeners asks on the key `who` and says where to answer, listeners
 * answer there, and say on the key `here` that they are there, and that they are `gone`. The body is
 * `{ "address": "…" }`, the kind stands in `type`.
 */
export interface NewsPlace {
  readonly broker: Broker
  readonly space: string
}

/** The routing keys of the exchange; an answer has the key of whoever asked. */
const WHO = 'who'
const HERE = 'here'

/** How long to wait where somebody listens, at most, and after an answer for another one, in ms. */
const LATEST_MS = 1_000
const QUIET_MS = 50

/** Milliseconds between two questions: whoever was given up, and is there after all, is found again. */
const AGAIN_MS = 10_000

/** Bytes of the news: an address. */
const NEWS_BYTES = 1_024

/** A listener that lets itself be found. */
export interface Announced {
  /** Says that it is gone and answers nobody any more. */
  retire(): Promise<void>
}

/** Says that somebody listens at an address, now and whenever asked. Rejects as `whenUp` of a channel does. */
export async function announceListener(place: NewsPlace, address: string): Promise<Announced> {
  const { news } = namesOf(place.space)
  const held: LastingChannel<Channel> = follow(
    place,
    WHO,
    (channel, { properties }) => {
      const { type, replyTo } = properties
      if (type === 'who' && typeof replyTo === 'string') tell(channel, news, replyTo, 'here', address)
    },
    (channel) => tell(channel, news, HERE, 'here', address),
  )
  await upOrClosed(held)
  return {
    retire: async () => {
      const { channel } = held
      if (channel !== undefined) tell(channel, news, HERE, 'gone', address)
      await held.close()
    },
  }
}

/** What is told of a search. */
export interface Findings {
  found(address: string): void
  gone(address: string): void
}

/**
 * Looks for listeners, now and until it is closed. Resolves once those that are there have answered, or some have and the
 * others are late: they are told of when they answer. Rejects as `whenUp` of a channel does.
 */
export async function findListeners(place: NewsPlace, findings: Findings): Promise<Discovery> {
  const { news } = namesOf(place.space)
  const id = randomUUID()
  const first = new Answers()
  const take = (_: Channel, { properties, content }: ConsumeMessage) => {
    const address = addressIn(content)
    if (address === undefined) return
    if (properties.type === 'gone') findings.gone(address)
    if (properties.type !== 'here') return
    findings.found(address)
    first.came()
  }
  const ask = (channel: Channel) =>
    channel.publish(news, WHO, Buffer.from('{}'), { type: 'who', replyTo: id, mandatory: true })
  const up = (channel: Channel) => {
    channel.on('return', () => first.end()) // Nobody listens.
    ask(channel)
    first.start()
  }
  const held: LastingChannel<Channel> = follow(place, HERE, take, up, id)
  await upOrClosed(held)
  await first.over
  const asking = setInterval(() => held.channel !== undefined && ask(held.channel), AGAIN_MS)
  asking.unref()
  return {
    close: () => {
      clearInterval(asking)
      return held.close()
    },
  }
}

/** Holds a channel with a queue of its own on which the news of one key come. Asks or tells again after each loss. */
function follow(
  { broker, space }: NewsPlace,
  key: string,
  take: (channel: Channel, message: ConsumeMessage) => void,
  up: (channel: Channel) => void,
  id: string = randomUUID(),
): LastingChannel<Channel> {
  const { news, reader } = namesOf(space)
  let turn = 0
  return broker.hold<Channel>({
    confirms: false,
    setUp: async (channel) => {
      const queue = reader(id, ++turn)
      await channel.assertExchange(news, 'direct')
      await channel.assertQueue(queue, { exclusive: true, autoDelete: true, durable: false, maxLength: 10_000 })
      await channel.bindQueue(queue, news, key)
      if (key === HERE) await channel.bindQueue(queue, news, id)
      await channel.consume(queue, (message) => taken(channel, message, take), { noAck: true })
    },
    up,
  })
}

/** amqplib takes the connection down with what a consumer throws. */
function taken(
  channel: Channel,
  message: ConsumeMessage | null,
  take: (channel: Channel, one: ConsumeMessage) => void,
) {
  try {
    if (message === null) replaceChannel(channel)
    else take(channel, message)
  } catch {
    // The channel was closed while it answered: whoever asked asks again when it is back.
  }
}

function tell(channel: Channel, news: string, key: string, type: string, address: string): void {
  channel.publish(news, key, Buffer.from(JSON.stringify({ address })), { type, contentType: 'application/json' })
}

/** The address in the news; undefined for what is none of ours. */
function addressIn(content: Buffer): string | undefined {
  try {
    const body = decodeJson(content, { maxBytes: NEWS_BYTES })
    const address = isMessage(body) ? body.address : undefined
    return typeof address === 'string' && address !== '' && address.length <= 100 ? address : undefined
  } catch {
    return undefined
  }
}

async function upOrClosed(held: LastingChannel<Channel>): Promise<void> {
  try {
    await held.whenUp()
  } catch (error) {
    await held.close()
    throw error
  }
}

/** The wait for the first answers. */
class Answers {
  readonly over: Promise<void>
  #end: () => void = () => {}
  #late: NodeJS.Timeout | undefined
  #quiet: NodeJS.Timeout | undefined
  #isOver = false

  constructor() {
    this.over = new Promise((resolve) => {
      this.#end = resolve
    })
  }

  start(): void {
    if (!this.#isOver) this.#late = setTimeout(() => this.end(), LATEST_MS)
  }

  came(): void {
    if (this.#isOver) return
    clearTimeout(this.#quiet)
    this.#quiet = setTimeout(() => this.end(), QUIET_MS)
  }

  end(): void {
    this.#isOver = true
    clearTimeout(this.#late)
    clearTimeout(this.#quiet)
    this.#end()
  }
}
