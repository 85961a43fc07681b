/**
 * Systems: services described once, and the ways to spread them over processes. Nothing here loads or starts a service.
 *
 * @module
 */
export type { Pattern } from '../pattern.js'
export { defineSystem } from './define-system.js'
export type {
  DeploymentDescription,
  GroupDescription,
  Limits,
  ModuleLike,
  OutsideDescription,
  PeerListen,
  PluginDescription,
  ServiceDescription,
  SystemDescription,
} from './description.js'
export type { Deployment, Group, GroupListen, Outside, Service, System, SystemPlugin } from './system.js'
