import type { Test } from 'tap'
import { type App, type AppOptions, lucilius, type PatternList } from '../../lib/index.js'
import { type Cuttable, cuttable, type Means } from './means.js'

/** One setting of the stage: what the suite runs in. */
export interface Stage {
  /** Says the means and the parity in the titles of the tests. */
  readonly name: string
  readonly parity: 'strict' | 'off'
  /** What joins the apps; without it all three roles are played by one app. */
  readonly means?: Means
}

/** Who takes part. In one app all three are the same. */
export interface Scene {
  /** Sends messages. */
  readonly caller: App
  /** Answers them. */
  readonly service: App
  /** Answers them as well. */
  readonly other: App
  /** Lets the caller know `service` and `other`. Await it when all that shall be known at once is added. */
  join(wish?: JoinWish): Promise<void>
  /** The transport by which the caller holds its connection to `service`. */
  line(): Cuttable
}

/** What `join` may be asked for. */
export interface JoinWish {
  /** What is let in; all actions unless given. */
  readonly expose?: PatternList
  /** Lets everybody know everybody. */
  readonly mutual?: boolean
}

/** Makes the apps of one test; they are closed when it ends. */
export function play(t: Test, stage: Stage, options: AppOptions = {}): Scene {
  const settings: AppOptions = { parity: stage.parity, drainMs: 200, ...options }
  const { means } = stage
  if (means === undefined) {
    const app = made(t, { name: 'service', ...settings })
    return { caller: app, service: app, other: app, join: async () => {}, line: noLine }
  }
  const caller = made(t, { name: 'caller', ...settings })
  const service = made(t, { name: 'service', ...settings })
  const other = made(t, { name: 'other', ...settings })
  let line: Cuttable | undefined
  return {
    caller,
    service,
    other,
    line: () => line ?? noLine(),
    join: async ({ expose = '*', mutual = false } = {}) => {
      line = await join(means, caller, service, expose, mutual)
      await join(means, caller, other, expose, mutual)
      if (mutual) await join(means, service, other, expose, true)
    },
  }
}

/** An app that is closed when the test ends. */
export function made(t: Test, options: AppOptions): App {
  const app = lucilius(options)
  t.teardown(() => app.close())
  return app
}

/** Lets `from` know what `to` exposes, and the other way round if it is mutual. */
export async function join(
  means: Means,
  from: App,
  to: App,
  expose: PatternList = '*',
  mutual = false,
): Promise<Cuttable> {
  const back = mutual && means.exposesOnConnect ? { expose } : {}
  const events = { in: '*', out: '*' } as const
  const listener = await to.listen(means.listen(), { expose, events, audience: 'peers' })
  const line = cuttable(means.connect(listener.url), means)
  await from.connect(line, back)
  if (mutual && !means.exposesOnConnect) await join(means, to, from, expose)
  return line
}

function noLine(): never {
  throw new Error('One app has no connection to itself.')
}
