import { fieldOf, notEtcd, toBase64 } from './etcd-answer.js'
import type { EtcdClient } from './etcd-client.js'

/** A key and its value under a lease, so that both are gone a while after whoever wrote them. */
export class EtcdEntry {
  readonly key: string
  readonly #client: EtcdClient
  readonly #value: string
  readonly #seconds: number
  #lease: string | undefined
  #isWritten = false

  constructor(client: EtcdClient, { key, value, leaseMs }: { key: string; value: string; leaseMs: number }) {
    this.#client = client
    this.key = key
    this.#value = value
    this.#seconds = Math.ceil(leaseMs / 1000)
  }

  /** Keeps the entry, or writes it if it is not there. Gives the milliseconds until that is to be done again. */
  async keep(signal: AbortSignal): Promise<number> {
    if (this.#lease !== undefined && !(await this.#isKeptAlive(signal))) {
      this.#lease = undefined
      this.#isWritten = false
    }
    this.#lease ??= await this.#grant(signal)
    if (!this.#isWritten) await this.#write(signal)
    return (this.#seconds * 1000) / 3
  }

  /** The entry is not there any more: the next `keep` writes it anew. */
  lost(): void {
    this.#isWritten = false
  }

  /** Takes the entry back. */
  async revoke(signal: AbortSignal): Promise<void> {
    if (this.#lease !== undefined) await this.#client.ask('/v3/lease/revoke', { ID: this.#lease }, signal)
  }

  async #isKeptAlive(signal: AbortSignal): Promise<boolean> {
    const answer = await this.#client.ask('/v3/lease/keepalive', { ID: this.#lease }, signal)
    // What has run out has no time to live, and etcd leaves out what is 0.
    return Number(fieldOf(fieldOf(answer, 'result'), 'TTL') ?? 0) > 0
  }

  async #grant(signal: AbortSignal): Promise<string> {
    const lease = fieldOf(await this.#client.ask('/v3/lease/grant', { TTL: String(this.#seconds) }, signal), 'ID')
    if (typeof lease === 'string') return lease
    throw notEtcd('grants no lease')
  }

  async #write(signal: AbortSignal): Promise<void> {
    const [key, value] = [toBase64(this.key), toBase64(this.#value)]
    await this.#client.ask('/v3/kv/put', { key, value, lease: this.#lease }, signal)
    this.#isWritten = true
  }
}
