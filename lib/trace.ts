import { randomBytes } from 'node:crypto'

// Random once per process, then counted: an id costs a tenth of what `randomUUID` takes and is as unique.
// The counter is scrambled (a bijection of 32 bits), because samplers read a trace id as if every bit were random.
const version = '00'
const idPrefix = BigInt(`0x${randomBytes(8).toString('hex')}`).toString(36)
let idCount = 0
let tracePrefix = randomHex(12)
let spanPrefix = randomHex(4)
let count = randomBytes(4).readUInt32LE(0)
let drawn = 0

/**
 * Makes a W3C `traceparent` that starts a new trace.
 *
 * Its flags say "sampled" (`01`), so that a tracer further down, which follows its parent by default, records it.
 */
export function newTraceParent(): string {
  const low = nextHex()
  return `${version}-${tracePrefix}${low}-${spanPrefix}${low}-01`
}

/** Makes the `traceparent` of what a call starts: same trace id and flags, new span id. Takes a valid one. */
export function childOf(traceparent: string): string {
  const low = nextHex()
  return `${traceparent.slice(0, 36)}${spanPrefix}${low}${traceparent.slice(52, 55)}`
}

const shape = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/

/**
 * Reads a `traceparent` header (W3C Trace Context level 1, §3.2).
 *
 * Gives it back if it is valid: lower case, version other than `ff`, no id of zeros. What a later version appends is
 * cut off and the version becomes `00`, since that is all we understand of it. Anything else gives undefined.
 */
export function parseTraceParent(text: unknown): string | undefined {
  if (typeof text !== 'string') return undefined
  const [, given, traceId, spanId, flags, rest] = shape.exec(text) ?? []
  if (given === undefined || traceId === undefined || flags === undefined || given === 'ff') return undefined
  if (/^0+$/.test(traceId) || spanId === '0000000000000000') return undefined
  if (given === version) return rest === undefined ? text : undefined
  return `${version}-${traceId}-${spanId}-${Number.parseInt(flags, 16) & 1 ? '01' : '00'}`
}

/** Makes a short id that no other process makes, to tell calls and instances apart. It is no secret. */
export function newId(): string {
  idCount += 1
  return `${idPrefix}-${idCount.toString(36)}`
}

/** Eight hex digits that do not come again under the same prefixes; draws new prefixes after 2³² of them. */
function nextHex(): string {
  count = (count + 1) >>> 0
  drawn += 1
  if (drawn > 0xffff_ffff) drawNewPrefixes()
  return hex32(scramble(count))
}

function drawNewPrefixes(): void {
  drawn = 1
  tracePrefix = randomHex(12)
  spanPrefix = randomHex(4)
}

/** Never only zeros, so that no id made with it is. */
function randomHex(bytes: number): string {
  const random = randomBytes(bytes)
  random[0] = (random[0] ?? 0) | 1
  return random.toString('hex')
}

/** The 32-bit finaliser of MurmurHash3: each step can be undone, so different counts stay different. */
function scramble(value: number): number {
  let mixed = Math.imul(value ^ (value >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return (mixed ^ (mixed >>> 16)) >>> 0
}

// Ten times faster than `toString(16).padStart(8, '0')`.
const hexPairs = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

function hex32(value: number): string {
  const high = `${hexPairs[value >>> 24]}${hexPairs[(value >>> 16) & 255]}`
  return `${high}${hexPairs[(value >>> 8) & 255]}${hexPairs[value & 255]}`
}
