import { LuciliusError } from '../../errors.js'

/** A field of what etcd answered; undefined if there is none. */
export function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined
}

/** A key or value as etcd's gateway has it. */
export function toBase64(text: string): string {
  return Buffer.from(text).toString('base64')
}

/** What {@link toBase64} was given; empty for what is no text. */
export function textOf(base64: unknown): string {
  return typeof base64 === 'string' ? Buffer.from(base64, 'base64').toString('utf8') : ''
}

/** The error for an answer that etcd would not give. */
export function notEtcd(what: string): LuciliusError {
  return new LuciliusError('LUC_UNREACHABLE', `What answers in the place of etcd ${what}: is it etcd 3.4 or later?`)
}
