import type { Test } from 'tap'
import { type AmqpOptions, amqp } from '../../../transports/amqp/index.js'
import type { Broker } from '../../support/brokers.js'
import { stage } from './stage.js'

/** Options, and a broker that refuses. */
export function options(t: Test, broker: Broker): void {
  t.test('wrong options are refused by name, and no password is shown', async (t) => {
    for (const [given, text] of [
      [{ urls: 'amqp://x' }, /'urls'/],
      [{ url: 'http://me:sesame@x' }, /'url'/],
      [{ url: 'amqp://me:sesame@x?heartbeat=1' }, /query/],
      [{ url: 'amqp://me:sesame%@x' }, /'url'/],
      [{ url: 'amqp://' }, /'url'/],
      [{ url: 'amqp://me:sesame@x', user: 'me' }, /both/],
      [{ user: 'me' }, /together/],
      [{ pass: 'sesame' }, /together/],
      [{ user: 1, pass: 'sesame' }, /'user'/],
      [{ space: 'a.b' }, /'space'/],
      [{ space: '' }, /'space'/],
      [{ app: 'a b' }, /'app'/],
      [{ tls: {} }, /amqps/],
      [{ heartbeatMs: 0 }, /'heartbeatMs'/],
      [{ maxInFlight: 0.5 }, /'maxInFlight'/],
    ] as const) {
      const error = thrown(() => amqp(given as AmqpOptions))
      t.match(error, { code: 'LUC_OPTIONS_INVALID', message: text })
      t.notMatch(error.message, /sesame/)
    }
    const { app } = stage(t, broker)
    const strange = app({ name: 'Größe ?' })
    await t.rejects(strange.listen(amqp({ url: broker.url }), { audience: 'clients', expose: '*' }), {
      code: 'LUC_OPTIONS_INVALID',
      message: /'app'/,
    })
  })

  t.test('a broker that refuses, or is not there, says so without credentials', async (t) => {
    const { app } = stage(t, broker)
    const { port } = broker
    for (const [given, code] of [
      [{ url: `amqp://me:open-sesame@127.0.0.1:${port}` }, 'LUC_UNAUTHENTICATED'],
      [{ url: broker.url, user: 'me', pass: 'open-sesame' }, 'LUC_UNAUTHENTICATED'],
      [{ url: `amqp://guest:guest@127.0.0.1:${port}/nowhere` }, 'LUC_FORBIDDEN'],
    ] as const) {
      const one = app()
      const error = await one.connect(amqp(given)).then(undefined, (error) => error)
      t.match(error, { code, message: new RegExp(`127.0.0.1:${port}`) })
      t.notMatch(error.message, /sesame|guest/)
      const refused = await one.listen(amqp(given), { expose: '*' }).then(undefined, (error) => error)
      t.match(refused, { code: 'LUC_LISTEN_FAILED', cause: { code } })
      t.notMatch(refused.message, /sesame|guest/)
    }
    const away = await app()
      .listen(amqp({ url: 'amqp://127.0.0.1:1', connectTimeoutMs: 100 }), { expose: '*' })
      .then(undefined, (error) => error)
    t.match(away, { code: 'LUC_LISTEN_FAILED', message: /127\.0\.0\.1:1/ })
    const listener = await app().listen(amqp({ url: `amqp://guest:guest@127.0.0.1:${port}` }), { expose: '*' })
    t.notMatch(listener.url, /guest/)
  })
}

function thrown(run: () => unknown): Error {
  try {
    run()
  } catch (error) {
    return error as Error
  }
  throw new Error('It did not throw.')
}
