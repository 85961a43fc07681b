import t, { type Test } from 'tap'
import type { App } from '../../lib/index.js'
import { readEnvironment } from '../../lib/system/environment.js'
import { skipWithout, startNats } from '../support/brokers.js'
import { Processes, service, until } from './processes.js'

for (const transport of ['websocket', 'http', 'nats'] as const) {
  const skip = transport === 'nats' && skipWithout('nats-server')
  const inTime = 'is asked once its services are ready, and hears events before'
  t.test(`a process ${inTime}, over ${transport}`, { skip }, async (t) => {
    const environment = await environmentFor(t, transport)
    const told: unknown[] = []
    let warm = () => {}
    let copy: unknown
    const processes = new Processes({
      services: {
        rates: service((app) => {
          app.add('role:rates,cmd:set', async ({ rate }, { emit }) => {
            await emit('role:rates,event:changed', { rate })
          })
        }),
        convert: service((app) => {
          app.add('role:convert', () => copy)
          app.on('role:rates,event:changed', { each: 'instance' }, ({ rate }) => void told.push(rate))
          app.onReady(async () => {
            await new Promise<void>((resolve) => {
              warm = resolve
            })
            copy = 'warm'
          })
        }),
        client: service(() => {}),
      },
      deployments: {
        split: { transport, groups: { rates: ['rates'], convert: ['convert'], client: ['client'] } },
      },
    })
    t.teardown(() => processes.close())
    const { app } = (await processes.start('client', { environment })).host
    await processes.start('rates', { environment })
    const starting = processes.start('convert', { environment })
    await until(() => app.list('role:convert').length > 0)

    const early = app.act('role:convert')
    await app.act('role:rates,cmd:set', { rate: 1 })
    await until(() => told.length === 1)
    t.equal(await Promise.race([early, 'waits']), 'waits')

    warm()
    await starting
    t.equal(await early, 'warm')
  })

  t.test(`one of two replicas that starts is left out, over ${transport}`, { skip }, async (t) => {
    const environment = await environmentFor(t, transport)
    const open: (() => void)[] = []
    const slow = service((app: App) => {
      let isReady = false
      app.add('role:convert', () => isReady)
      app.onReady(async () => {
        await new Promise<void>((resolve) => open.push(resolve))
        isReady = true
      })
    })
    const processes = new Processes({
      services: { convert: slow, client: service(() => {}) },
      deployments: {
        split: { transport, groups: { convert: { services: ['convert'], replicas: 2 }, client: ['client'] } },
      },
    })
    t.teardown(() => processes.close())
    const { app } = (await processes.start('client', { environment })).host
    const first = processes.start('convert.1', { environment })
    await until(() => open.length === 1)
    open[0]?.()
    const { url } = await first
    const second = processes.start('convert.2', { environment })
    await until(() => open.length === 2 && processes.addresses.urlOf('convert.2') !== url)
    await until(() => app.list('role:convert').length > 0)
    const replies = await Promise.all(Array.from({ length: 20 }, () => app.act('role:convert')))
    t.ok(replies.every((reply) => reply === true))
    open[1]?.()
    await second
  })
}

/** Where the broker is, if the processes meet at one: it goes with the test. */
async function environmentFor(t: Test, transport: string) {
  const none = { drainMs: 1000 }
  if (transport !== 'nats') return none
  const { url } = await startNats(t)
  return { ...none, brokers: readEnvironment({ LUCILIUS_NATS_URL: url }).brokers }
}
