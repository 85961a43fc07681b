/**
 * Systems: services described once, and the ways to spread them over processes. Nothing here loads or starts a service.
 *
 * @module
 */
export type { Pattern } from '../pattern.js'
export { defineSystem } from './define-system.js'
export type {
  AmqpDescription,
  BrokersDescription,
  DeploymentDescription,
  ForeignDescription,
  ForeignExchange,
  ForeignQueue,
  GroupDescription,
  Limits,
  ModuleLike,
  NatsDescription,
  OutsideDescription,
  PeerListen,
  PluginDescription,
  RouteDescription,
  ServiceDescription,
  StoreDescription,
  SystemDescription,
  TransportName,
} from './description.js'
export type {
  Brokers,
  Deployment,
  Foreign,
  Group,
  GroupListen,
  Outside,
  Route,
  Service,
  Store,
  System,
  SystemPlugin,
} from './system.js'
