import { decodeJson, encodeJson, isMessage, type Parcel } from '../../lib/transport-kit.js'

/** Bytes of an announcement of 10,000 patterns. */
const MOST_BYTES = 16 * 1024 * 1024

/** Parcels that stand as JSON in the payload, because nothing in them is a message of anybody. */
export type LineParcel = Exclude<Parcel, { readonly kind: 'act' | 'reply' | 'event' }>

/** Writes such a parcel; its line stands in the subject. */
export function lineText({ line: _, ...told }: LineParcel): string {
  return encodeJson(told)
}

/** Reads such a parcel; undefined if it is none. */
export function lineParcel(line: string, data: Uint8Array): LineParcel | undefined {
  let told: unknown
  try {
    told = decodeJson(data, { maxBytes: MOST_BYTES })
  } catch {
    return undefined
  }
  if (!isMessage(told)) return undefined
  const { kind, id, announcement, authorization, error } = told
  switch (kind) {
    case 'open':
      return typeof authorization === 'string'
        ? { kind, line, announcement, authorization }
        : { kind, line, announcement }
    case 'opened':
    case 'tell':
      return { kind, line, announcement }
    case 'close':
      return error === undefined ? { kind, line } : { kind, line, error }
    case 'cancel':
    case 'ping':
    case 'pong':
      return Number.isSafeInteger(id) ? { kind, line, id: id as number } : undefined
    default:
      return undefined
  }
}
