import { LuciliusError } from '../../errors.js'
import { decodeJson } from '../../wire-json.js'

/** Codes of gRPC as etcd's gateway has them. */
const grpc = Object.freeze({ invalid: 3, notFound: 5, forbidden: 7, precondition: 9, unauthenticated: 16 })

/** Refusals that every server of a cluster would repeat. */
const FINAL: ReadonlySet<unknown> = new Set(Object.values(grpc))

/** Says of an error why etcd refused, as a code of gRPC; undefined if it is no refusal. */
function refusalOf(error: unknown): unknown {
  if (!(error instanceof LuciliusError)) return undefined
  const { details } = error
  return typeof details === 'object' && details !== null && 'grpc' in details ? details.grpc : undefined
}

/** Whether another server need not be asked. */
export function isFinal(error: unknown): boolean {
  return FINAL.has(refusalOf(error))
}

/** Whether etcd has no users, so that nobody need say who they are. */
export function isWithoutUsers(error: unknown): boolean {
  return refusalOf(error) === grpc.precondition
}

/** Who refuses, and whom. */
export interface Asked {
  readonly server: string
  /** Undefined: nobody said who we are. */
  readonly user: string | undefined
}

/** The error for an answer that is a refusal. Shows little of what etcd says, and nothing of what it was told. */
export function toRefusal(status: number, text: string, { server, user }: Asked): LuciliusError {
  const { code, said } = read(text)
  const at = `etcd at ${server}`
  const who = user === undefined ? 'us' : `the user '${user}'`
  const details = { status, grpc: code }
  if (code === grpc.forbidden) {
    const whom = user === undefined ? 'its user' : who
    const cure = `Give ${whom} a role there that may read and write keys that begin with 'lucilius/'.`
    return new LuciliusError('LUC_FORBIDDEN', `${at} does not allow ${who} this (${said}). ${cure}`, { details })
  }
  if (code === grpc.unauthenticated || (code === grpc.invalid && /auth|user name is empty/.test(said))) {
    const cure = 'Set LUCILIUS_ETCD_USER and LUCILIUS_ETCD_PASSWORD to what it knows, and start this process again.'
    return new LuciliusError('LUC_UNAUTHENTICATED', `${at} does not let ${who} in (${said}). ${cure}`, { details })
  }
  const why = said === '' ? `status ${status}: is it etcd 3.4 or later?` : said
  return new LuciliusError('LUC_UNREACHABLE', `${at} refuses (${why}).`, { details })
}

function read(text: string): { readonly code: number; readonly said: string } {
  try {
    const body = decodeJson(text)
    if (typeof body !== 'object' || body === null) return { code: 0, said: '' }
    const code = 'code' in body && typeof body.code === 'number' ? body.code : 0
    const said =
      'message' in body && typeof body.message === 'string'
        ? body.message.slice(0, 200).replaceAll(/[^\x20-\x7e]/g, '?')
        : ''
    return { code, said }
  } catch {
    return { code: 0, said: '' } // it is no JSON: somebody else answers there
  }
}
