import t from 'tap'
import type { App } from '../../lib/index.js'
import { defineSystem } from '../../lib/system/define-system.js'
import { Doors } from '../../lib/system/doors.js'
import { onOneProcess, processesOf } from '../../lib/system/topology.js'

const door = { transport: 'http', expose: '*' } as const
const system = defineSystem({
  services: { rates: './rates.js', convert: './convert.js' },
  deployments: { split: { groups: { rates: { services: ['rates'], outside: door }, convert: ['convert'] } } },
})

/** Actions of the service behind the door. */
const actions = (...patterns: string[]) => ({
  actions: patterns.map((pattern) => ({ pattern, service: 'rates', idempotent: false })),
})
const ownerOf = (plugin: string) => plugin

/** Doors of an app that opens listeners only as the test lets it. */
function scene(listen: () => Promise<void>) {
  const steps: string[] = []
  const app = {
    listen: async (_: unknown, { expose }: { expose: readonly string[] }) => {
      steps.push(`opens ${expose}`)
      await listen()
      steps.push(`open ${expose}`)
      return { url: 'http://127.0.0.1:7999', close: async () => void steps.push('closed') }
    },
  } as unknown as App // all that doors ask of it
  const [process] = processesOf(onOneProcess(system))
  if (process === undefined) throw new Error('There is one.')
  return { doors: new Doors(app, process.group, process.outside), steps }
}

t.test('a door that could not be opened anew is not open, and is opened by the next call', async (t) => {
  let fails = false
  const { doors, steps } = scene(async () => {
    if (fails) throw new Error('no port')
  })
  await doors.adjust(actions('a:1'), ownerOf)
  t.equal(doors.open.length, 1)
  fails = true
  await t.rejects(doors.adjust(actions('b:1'), ownerOf), { message: 'no port' })
  t.strictSame(doors.open, [])
  fails = false
  await doors.adjust(actions('a:1'), ownerOf)
  t.match(doors.open, [{ expose: ['a:1'] }])
  t.strictSame(steps, ['opens a:1', 'open a:1', 'closed', 'opens b:1', 'opens a:1', 'open a:1'])
})

t.test('doors are adjusted one time after another', async (t) => {
  const { doors, steps } = scene(() => new Promise((resolve) => setImmediate(resolve)))
  await Promise.all([doors.adjust(actions('a:1'), ownerOf), doors.adjust(actions('b:1'), ownerOf)])
  t.match(doors.open, [{ expose: ['b:1'] }])
  t.strictSame(steps, ['opens a:1', 'open a:1', 'closed', 'opens b:1', 'open b:1'])
})
