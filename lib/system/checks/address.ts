import type { Place } from './place.js'

/** How addresses for a transport begin. */
export const schemesOf = Object.freeze({
  websocket: Object.freeze(['ws:', 'wss:']),
  http: Object.freeze(['http:', 'https:']),
})

/** How addresses begin at which processes listen. */
export const directSchemes: readonly string[] = Object.freeze(Object.values(schemesOf).flat())

/** Characters of an address: a name has 253 at most. */
const MOST_CHARS = 1000

/** What is wrong with the address of a listener. Never prints it: it may hold a password. */
export function addressProblem(address: unknown, schemes: readonly string[]): string | undefined {
  if (typeof address !== 'string') return `an address, a text such as ${schemes[0]}//127.0.0.1:7401`
  if (address.length > MOST_CHARS) return `an address has at most ${MOST_CHARS} characters`
  const url = URL.canParse(address) ? new URL(address) : undefined
  if (url === undefined || !schemes.includes(url.protocol) || url.hostname === '') {
    return `an address begins with ${schemes.map((scheme) => `${scheme}//`).join(' or ')} and a host`
  }
  if (url.username !== '' || url.password !== '') {
    return 'an address holds no user and password: LUCILIUS_SECRET proves who connects'
  }
  return url.search === '' && url.hash === '' ? undefined : "an address has no '?' and no '#'"
}

/** An address as `URL` writes it: two texts of one address are the same then. */
export function hrefOf(url: string | undefined): string | undefined {
  return url === undefined ? undefined : new URL(url).href
}

/** How addresses of brokers begin. */
const brokerSchemes = Object.freeze({ nats: ['nats:', 'tls:'], amqp: ['amqp:', 'amqps:'] })

/** What is wrong with the address of a broker. Never prints it, and says nothing of a user and password. */
export function brokerAddressProblem(address: unknown, broker: 'nats' | 'amqp'): string | undefined {
  const schemes = brokerSchemes[broker]
  const url = typeof address === 'string' && URL.canParse(address) ? new URL(address) : undefined
  if (url === undefined || !schemes.includes(url.protocol) || url.hostname === '') {
    return `an address of a broker begins with ${schemes.map((scheme) => `${scheme}//`).join(' or ')} and a host`
  }
  return url.search === '' && url.hash === '' ? undefined : "an address has no '?' and no '#'"
}

/** What is wrong with a host to listen on. */
export function hostProblem(host: unknown): string | undefined {
  if (typeof host === 'string' && (/^[\w-]+([.][\w-]+)*$/.test(host) || isAddress6(host))) return undefined
  return 'a name or an address to listen on, such as 127.0.0.1, without scheme and port'
}

/** The host at a place: 127.0.0.1 if there is none. */
export function hostAt(place: Place): string {
  if (place.value === undefined) return '127.0.0.1'
  const problem = hostProblem(place.value)
  if (problem === undefined) return String(place.value)
  place.wrong(problem)
  return ''
}

/** Whether a host is an address of IPv4. */
export function isAddress4(host: string): boolean {
  return /^\d{1,3}([.]\d{1,3}){3}$/.test(host) && host.split('.').every((part) => Number(part) <= 255)
}

/** Whether a host is an address of IPv6, without brackets. */
export function isAddress6(host: string): boolean {
  return host.includes(':') && /^[\da-f:.]+$/i.test(host) && URL.canParse(`http://[${host}]/`)
}
