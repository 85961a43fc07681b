import type { Test } from 'tap'
import { deadlines } from './deadlines.js'
import { events } from './events.js'
import { exposure } from './exposure.js'
import { failures } from './failures.js'
import { life } from './life.js'
import { metas } from './metas.js'
import { priors } from './priors.js'
import { replies } from './replies.js'
import { routing } from './routing.js'
import type { Stage } from './scene.js'
import { wraps } from './wraps.js'

/**
 * The promise of the whole project, as tests: moving a service to another process changes no reply, no error and no route.
 *
 * Runs in one app (a stage without means) and over every transport, with the same expectations.
 */
export function conformance(t: Test, stage: Stage): void {
  const parts = { replies, routing, priors, wraps, failures, deadlines, metas, events, life, exposure }
  for (const [name, part] of Object.entries(parts)) {
    t.test(`${stage.name}: ${name}`, async (t) => {
      part(t, stage)
    })
  }
}
