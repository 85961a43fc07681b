import { mock } from '../../plugins/mock/index.js'
import type { Plugin } from '../app.js'

/** A plugin for each mock: loaded in every process, so whoever sends the message gets the mock's answer. */
export function mocksOf(mocks: { readonly [pattern: string]: unknown } = {}): Plugin[] {
  return Object.entries(mocks).map(([pattern, answer]) => mock(pattern, answer) as Plugin)
}
