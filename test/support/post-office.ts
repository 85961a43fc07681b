import {
  type Connection,
  type MailLimits,
  mail,
  type Parcel,
  type Post,
  type Recipient,
  type Transport,
} from '../../lib/transport-kit.js'

/** A parcel on its way. */
export interface Letter {
  readonly from: string
  readonly to: string
  readonly parcel: Parcel
}

/** A broker in memory: delivers in order, a turn later, what is plain JSON; says at once if nobody has a mailbox. */
export class PostOffice {
  readonly #boxes = new Map<string, Recipient>()
  #count = 0
  /** All that was sent, in order. */
  readonly letters: Letter[] = []
  /** Keeps a letter from its addressee without a word. */
  lose: (letter: Letter) => boolean = () => false

  /** Says of a letter that nobody has that mailbox, though somebody does. */
  bounce: (letter: Letter) => boolean = () => false

  /** How many mailboxes there are. */
  get boxes(): number {
    return this.#boxes.size
  }

  /** What listens and connects through this office. `connections` are those that were made. */
  transport(
    limits: Partial<MailLimits> = {},
  ): Transport & { to(url: string): Transport; readonly connections: Connection[] } {
    const lines = mail(async (recipient) => this.open(recipient), limits)
    const connections: Connection[] = []
    const leadTo = (url: string): Transport => ({
      ...base,
      connect: async (observer) => {
        const connection = await lines.connect(url, observer)
        connections.push(connection)
        return connection
      },
    })
    const base: Transport = {
      name: 'post',
      audience: 'peers',
      local: true,
      listen: async (receiver) => {
        const listener = await lines.listen(receiver)
        return { url: listener.address, close: () => listener.close() }
      },
      connect: () => Promise.reject(new Error('Say where: transport.to(url).')),
    }
    return { ...base, to: leadTo, connections }
  }

  open(recipient: Recipient, address = `box-${++this.#count}`): Post {
    this.#boxes.set(address, recipient)
    return {
      address,
      ready: async () => {},
      send: (to, parcel) => this.#send({ from: address, to, parcel: JSON.parse(JSON.stringify(parcel)) }),
      close: async () => void this.#boxes.delete(address),
    }
  }

  /** Ends a mailbox as a kill of its process would. Call what it returns for the dead app to be closed in no time. */
  kill(address: string): () => void {
    const dead = this.#boxes.get(address)
    this.#boxes.delete(address)
    return () => dead?.lost()
  }

  /** All mailboxes, or one of them, lose the broker; it is back at once. */
  fail(only?: string): void {
    for (const [address, recipient] of this.#boxes) if (only === undefined || only === address) recipient.lost()
  }

  #send(letter: Letter): void {
    this.letters.push(letter)
    setImmediate(() => {
      const { from, to, parcel } = letter
      if (this.lose(letter)) return
      const recipient = this.bounce(letter) ? undefined : this.#boxes.get(to)
      if (recipient !== undefined) recipient.take(from, parcel)
      else this.#boxes.get(from)?.undelivered(parcel.line, parcel.kind === 'act' ? parcel.id : undefined)
    })
  }
}
