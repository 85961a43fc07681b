import { type LuciliusCode, LuciliusError } from '../../lib/transport-kit.js'

/** Codes of an error that no second try changes: whoever runs the system has to. */
const MISTAKES: ReadonlySet<LuciliusCode> = new Set(['LUC_FORBIDDEN', 'LUC_OPTIONS_INVALID', 'LUC_UNAUTHENTICATED'])

/** Whether trying again is of no use. */
export function isMistake({ code }: LuciliusError): boolean {
  return MISTAKES.has(code)
}

/** What a refusal of the broker means, by the code of its reply (AMQP 0-9-1 §1.8, and what RabbitMQ makes of it). */
const ON_CHANNEL: { readonly [reply: string]: readonly [LuciliusCode, string] } = {
  403: ['LUC_FORBIDDEN', 'The broker does not allow it: docs/amqp.md has the permissions that are needed'],
  406: ['LUC_OPTIONS_INVALID', 'A queue or exchange is there with other properties: delete it, or take another space'],
  530: ['LUC_FORBIDDEN', 'The broker does not allow it'],
}

/** The same, while the connection is made. */
const AT_LOGIN: typeof ON_CHANNEL = {
  403: ['LUC_UNAUTHENTICATED', "The broker refuses the login: look at 'user' and 'pass'"],
  530: ['LUC_FORBIDDEN', 'The virtual host is not there, or not for this user'],
}

/** All that amqplib tells of a connection that is refused when it asks for its virtual host. */
const NO_VHOST = 'Expected ConnectionOpenOk; got <ConnectionClose'

/** Makes of what amqplib threw, or a socket, an error of ours; `where` is an address without credentials. */
export function toTrouble(where: string, cause: unknown): LuciliusError {
  if (cause instanceof LuciliusError) return cause
  const { code, message = '' } = (cause ?? {}) as { readonly code?: unknown; readonly message?: string }
  const login = message.includes(NO_VHOST) ? '530' : /^Handshake terminated by server: (\d+)/.exec(message)?.[1]
  const known = login === undefined ? ON_CHANNEL[String(code)] : AT_LOGIN[login]
  // The broker names what it refused, and never repeats a password; a socket names addresses only.
  const said = /with message "(.*)"/s.exec(message)?.[1] ?? (typeof code === 'string' ? code : message)
  if (known !== undefined) {
    const reason = said.includes(NO_VHOST) ? '' : ` (${said})`
    return new LuciliusError(known[0], `${where}: ${known[1]}${reason}.`, { cause })
  }
  return new LuciliusError('LUC_UNREACHABLE', `The broker ${where} cannot be reached: ${said}.`, { cause })
}
