import { LuciliusError } from '../../errors.js'
import { decodeJson } from '../../wire-json.js'
import { type Body, boundedLines, boundedText } from './bounded-body.js'
import { isFinal, isWithoutUsers, toRefusal } from './etcd-refusal.js'
import { type TimeLimit, timeLimit } from './time-limit.js'

/** Where etcd is, and who we are to it. */
export interface EtcdAccess {
  readonly servers: readonly string[]
  readonly user?: string
  readonly password?: string
}

/** How long a server has to answer before the next one is asked, in ms. */
const ANSWER_MS = 1500

/** Bytes of an answer: 10,000 entries of 400 bytes, and as much again. */
const LONGEST_ANSWER = 8 * 1024 * 1024

/** Bytes of one message of a stream. */
const LONGEST_LINE = 1024 * 1024

/** Bytes of a refusal that are read. */
const LONGEST_REFUSAL = 64 * 1024

/**
 * Speaks to etcd 3.4 or later by its gateway for HTTP and JSON. Any of the servers is as good as another: the one that
 * answered last is asked first. Over https it trusts whom Node trusts: NODE_EXTRA_CA_CERTS adds to those.
 *
 * Rejects with `LUC_UNAUTHENTICATED` and `LUC_FORBIDDEN`, which no second try changes, with `LUC_TOO_LARGE` for an answer
 * beyond its bound, else with `LUC_UNREACHABLE`.
 */
export class EtcdClient {
  readonly #access: EtcdAccess
  /** The server that is asked first. */
  #first = 0
  /** What proves who we are: empty where etcd does not want to know. */
  #token: string | undefined

  constructor(access: EtcdAccess) {
    this.#access = access
  }

  /** Asks one question. */
  async ask(path: string, question: object, signal: AbortSignal): Promise<unknown> {
    return readAnswer(await this.#open(path, question, signal))
  }

  /** Gives what comes in answer to one question, until that ends, or nothing has come for so many milliseconds. */
  async *stream(path: string, question: object, idleMs: number, signal: AbortSignal): AsyncGenerator<unknown> {
    const { body, limit } = await this.#open(path, question, signal)
    try {
      limit.extend(idleMs)
      for await (const line of boundedLines(body, LONGEST_LINE, limit.signal)) {
        limit.extend(idleMs)
        yield decodeJson(line, { maxBytes: LONGEST_LINE })
      }
    } finally {
      limit.abort()
    }
  }

  async #open(path: string, question: object, signal: AbortSignal): Promise<Opened> {
    const token = await this.#proof(signal)
    try {
      return await this.#inTurn({ path, question, token, signal })
    } catch (error) {
      const isOld = error instanceof LuciliusError && error.code === 'LUC_UNAUTHENTICATED' && token !== undefined
      if (!isOld) throw error
      if (this.#token === token) this.#token = undefined
      return this.#inTurn({ path, question, token: await this.#proof(signal), signal })
    }
  }

  async #proof(signal: AbortSignal): Promise<string | undefined> {
    const { user, password = '' } = this.#access
    if (user === undefined) return undefined
    this.#token ??= await this.#authenticate({ name: user, password }, signal)
    return this.#token
  }

  async #authenticate(question: object, signal: AbortSignal): Promise<string> {
    try {
      const answer = await readAnswer(await this.#inTurn({ path: '/v3/auth/authenticate', question, signal }))
      return typeof answer === 'object' && answer !== null && 'token' in answer ? String(answer.token) : ''
    } catch (error) {
      if (isWithoutUsers(error)) return ''
      throw error
    }
  }

  async #inTurn(asked: Omit<Question, 'user'>): Promise<Opened> {
    const { servers, user } = this.#access
    const first = this.#first
    let failure: unknown
    for (let tried = 0; tried < servers.length; tried++) {
      const at = (first + tried) % servers.length
      try {
        const opened = await open(String(servers[at]), { ...asked, user })
        this.#first = at
        return opened
      } catch (error) {
        if (asked.signal.aborted || isFinal(error)) throw error
        failure = error
      }
    }
    throw failure
  }
}

interface Question {
  readonly path: string
  readonly question: object
  /** Whose question it is, to be told where it is refused. */
  readonly user: string | undefined
  readonly token?: string | undefined
  readonly signal: AbortSignal
}

/** An answer that has begun: to be read within its limit, and aborted in any case. */
interface Opened {
  readonly server: string
  readonly body: Body
  readonly limit: TimeLimit
}

async function open(server: string, { path, question, user, token, signal }: Question): Promise<Opened> {
  const limit = timeLimit(signal, ANSWER_MS)
  try {
    const response = await fetch(new URL(path, server), {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(token ? { authorization: token } : {}) },
      body: JSON.stringify(question),
      redirect: 'error',
      signal: limit.signal,
    })
    if (!response.ok)
      throw toRefusal(response.status, await boundedText(response.body, LONGEST_REFUSAL, limit.signal), {
        server,
        user,
      })
    return { server, body: response.body, limit }
  } catch (error) {
    limit.abort()
    throw toTrouble(error, server)
  }
}

async function readAnswer({ server, body, limit }: Opened): Promise<unknown> {
  try {
    return decodeJson(await boundedText(body, LONGEST_ANSWER, limit.signal), { maxBytes: LONGEST_ANSWER })
  } catch (error) {
    throw toTrouble(error, server)
  } finally {
    limit.abort()
  }
}

/** fetch says `fetch failed` of everything, and has the reason as its cause. */
function toTrouble(error: unknown, server: string): LuciliusError {
  if (error instanceof LuciliusError && error.code === 'LUC_TOO_LARGE') {
    return new LuciliusError(error.code, `etcd at ${server}: ${error.message}`, { cause: error })
  }
  if (error instanceof LuciliusError && error.code !== 'LUC_WIRE_INVALID') return error
  const why = reasonOf(error)
  const cure = /CERT|UNABLE_TO/.test(why) ? ' NODE_EXTRA_CA_CERTS names a file of certificates to trust.' : ''
  return new LuciliusError('LUC_UNREACHABLE', `etcd cannot be reached at ${server} (${why}).${cure}`, { cause: error })
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (error.name === 'AbortError') return `no answer within ${ANSWER_MS} ms`
  const { cause } = error
  if (!(cause instanceof Error)) return error.message
  return 'code' in cause ? String(cause.code) : cause.message
}
