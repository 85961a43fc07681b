import type { Controlled } from '../control/controlled.js'
import type { RunningDeployment } from './run-deployment.js'

/** What a control socket gives access to where processes are supervised: all of them. */
export function controlledOf({ app, supervisor }: RunningDeployment): Omit<Controlled, 'about'> {
  return {
    app,
    store: (question) => supervisor.ask(question),
    lookOn: supervisor.lookOn,
    // The app here has no action of its own.
    processOf: (where) => (where === 'here' ? undefined : supervisor.idOf(where.instance)),
  }
}
