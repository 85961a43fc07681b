/** The socket through which commands reach what the same user runs of a system. */
export { type ControlClient, connectControl } from './control-client.js'
export type { Controlled } from './controlled.js'
export { findControl } from './find-control.js'
export { type Control, openControl } from './open-control.js'
export type { ControlPlace } from './place.js'
export type { About, AboutProcess } from './protocol.js'
