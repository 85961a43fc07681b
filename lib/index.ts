/**
 * lucilius: pattern-matching messages. The door for those who write services and plugins.
 *
 * @module
 */
export type { App, ConnectOptions, ListenOptions, PeerConnection, Plugin, UseOptions } from './app.js'
export { type Auth, type Authenticate, type AuthRequest, type SecretOptions, sharedSecret } from './auth.js'
export type { ActTrace } from './dispatch/act-trace.js'
export {
  ActionError,
  type ErrorRow,
  errorTable,
  type Handled,
  isLuciliusCode,
  type LuciliusCode,
  LuciliusError,
  type LuciliusErrorOptions,
} from './errors.js'
export type { ActionInfo, Candidate, Explanation, WrapInfo } from './explain.js'
export type {
  ActOptions,
  Context,
  Delivery,
  EmitOptions,
  EventContext,
  EventHandler,
  Handler,
  Meta,
  Middleware,
  PatternLike,
  PeerInfo,
} from './handler.js'
export { type JsonLoggerOptions, jsonLogger, type Logger, type LogLevel } from './logger.js'
export { lucilius } from './lucilius.js'
export type { Message, Scalar } from './message.js'
export type { AppOptions, ParkOptions } from './options.js'
export type { EventExposure, PatternList } from './peers/exposure.js'
export type { RetryOptions } from './peers/retry.js'
export type { PluginObject, PluginSetup } from './plugin.js'
export type { Proof } from './proof.js'
export type { Registration, Subscription } from './registration.js'
export type { EventStore } from './store.js'
export type { Audience, Listener, Transport } from './transport.js'
export type { TypedContext, TypedEventContext } from './typed/context.js'
export type { Mode } from './typed/contract.js'
export type { Events, Patterns } from './typed/registry.js'
export type {
  AddOptions,
  BackoffOptions,
  EventOptions,
  OnOptions,
  Typed,
  WrapOptions,
} from './typed/typed.js'
