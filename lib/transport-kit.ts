/**
 * The door for those who write transports: the contract, the codec and the errors, and nothing that knows apps.
 *
 * @module
 */
export type { ActId } from './acts/by-id.js'
export { type Answer, Incoming } from './acts/incoming.js'
export { type Departure, type Kept, Outgoing, type OutgoingLimits } from './acts/outgoing.js'
export { challengeOf } from './challenge-of.js'
export {
  decodeEnvelope,
  decodeOutcome,
  encodeEnvelope,
  encodeOutcome,
  encodeReply,
  envelopeLimits,
  toEnvelope,
  toMeta,
  toOutcome,
} from './codec.js'
export { matcherOf } from './covers.js'
export { promised, receiveDirect } from './direct.js'
export { type Handled, type LuciliusCode, LuciliusError, type LuciliusErrorOptions } from './errors.js'
export { flatJson } from './flat-json.js'
export type { PeerInfo } from './handler.js'
export {
  type FieldList,
  type HeaderFields,
  readClientMeta,
  readPeerAct,
  readPeerEvent,
  writeClientMeta,
  writePeerAct,
  writePeerEvent,
} from './header-fields.js'
export { Hearing } from './hearing.js'
export { isDeeper } from './json-depth.js'
export { type BareOutcome, bareError, bareOutcome, messageText, readMessage, readOutcome } from './mail/bare.js'
export { Desk } from './mail/desk.js'
export { type MailLimits, mailLimits } from './mail/limits.js'
export type { MailListener } from './mail/listening.js'
export { type Mail, mail } from './mail/mail.js'
export type {
  ActParcel,
  CloseParcel,
  EventParcel,
  OpenParcel,
  OpenPost,
  Parcel,
  Post,
  Recipient,
  ReplyParcel,
  SignParcel,
  TellParcel,
} from './mail/parcel.js'
export { isMessage, type Message } from './message.js'
export { News } from './news.js'
export { checkCount, checkKeys, checkMilliseconds } from './option-checks.js'
export { type Pattern, toPattern } from './pattern.js'
export type { PortableLimits } from './portable.js'
export type { Proof } from './proof.js'
export { scalarText } from './scalars.js'
export {
  type DeadLetter,
  DUPLICATES_MS,
  type DurableSubscription,
  type EventStore,
  type Failure,
  type OpenStore,
  type ServedSubscription,
  type StoreAdmin,
  type StoreDelivery,
  type StoredEvent,
  type StoreHost,
  type StoreReport,
  type SubscriptionReport,
  type Verdict,
} from './store.js'
export { decodeStoredEvent, encodeStoredEvent, toFailures, toStoredEvent } from './stored-event.js'
export {
  type ActEnvelope,
  type AnnouncedAction,
  type AnnouncedSubscription,
  type Announcement,
  type Audience,
  type Call,
  type Carry,
  type CarryDirect,
  type Connection,
  type Credentials,
  type DirectCall,
  type Discovery,
  type Envelope,
  type EventEnvelope,
  type Finding,
  type Listener,
  type Observer,
  type Outcome,
  type Receiver,
  type Transport,
  WIRE_VERSION,
  type WireError,
  type WireMeta,
} from './transport.js'
export { fromWireError, toWireError } from './wire-error.js'
export { decodeJson, encodeJson } from './wire-json.js'
