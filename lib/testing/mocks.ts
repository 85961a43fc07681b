import { mock } from '../../plugins/mock/index.js'
import type { App, Plugin } from '../app.js'
import type { PluginObject } from '../plugin.js'

/** What the plugin with the mocks is called in an app: no name that a description can have. */
export const MOCKS = '(mock)'

/** A plugin with all mocks: loaded in every process, so whoever sends the message gets the mock's answer. */
export function mocksOf(mocks: { readonly [pattern: string]: unknown } = {}): Plugin {
  // Of the two forms of a plugin a mock has this one.
  const all = Object.entries(mocks).map(([pattern, answer]) => mock(pattern, answer) as PluginObject<App, undefined>)
  return {
    name: MOCKS,
    setup: (app) => {
      for (const one of all) one.setup(app, undefined)
    },
  }
}
