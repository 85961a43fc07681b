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
  DiscoveryDescription,
  DnsDescription,
  EtcdDescription,
  ForeignDescription,
  ForeignExchange,
  ForeignQueue,
  GroupDescription,
  Limits,
  ModuleLike,
  MulticastDescription,
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
  Discovery,
  DnsDiscovery,
  EtcdDiscovery,
  Foreign,
  Group,
  GroupListen,
  MulticastDiscovery,
  Outside,
  Route,
  Service,
  Store,
  System,
  SystemPlugin,
} from './system.js'
