import type { PortableLimits } from '../../lib/transport-kit.js'

/** Bounds of an announcement: 10,000 patterns of some length fit. */
export const ANNOUNCEMENT_LIMITS = { maxBytes: 16 * 1024 * 1024, maxDepth: 64 } as const

/** Bounds of a list of envelopes: as many bytes as the largest one may have, and one level more. */
export function batchLimits({ maxBytes, maxDepth }: Required<PortableLimits>): Required<PortableLimits> {
  return { maxBytes: maxBytes + 2, maxDepth: maxDepth + 1 }
}

/** Bounds of an answer: those of a reply, and what an error has around its details. */
export function answerLimits({ maxBytes, maxDepth }: Required<PortableLimits>): Required<PortableLimits> {
  return { maxBytes: maxBytes + 1024, maxDepth: maxDepth + 2 }
}

/** Bytes of a request's header: room for a pattern of 4,096 characters of any script, percent-encoded, and an identity. */
export const PEER_HEADER_BYTES = 64 * 1024
export const CLIENT_HEADER_BYTES = 16 * 1024
