/**
 * Loading a system and its modules: finds the description, imports TypeScript, knows who imports whom, and says where in
 * the source an error comes from.
 *
 * @module
 */
export { codeFrame } from './code-frame.js'
export { describeLoadError, type LoadErrorDescription } from './describe-load-error.js'
export { type FoundSystem, findSystem } from './find-system.js'
export { loadPlugin } from './load-plugin.js'
export { type Loaded, loadSystem } from './load-system.js'
export { CONFIG_OWNER, type ModuleGraph } from './module-graph.js'
export { registerTypeScript } from './register-typescript.js'
export type { SourcePlace } from './source-place.js'
