/**
 * Tests of a system: the same test runs with all services in one process, checked as if remote, and split.
 *
 * @module
 */
export type { Recorded } from './recorder.js'
export type { Shape } from './shape.js'
export { type TestSystem, type TestSystemOptions, testSystem } from './test-system.js'
