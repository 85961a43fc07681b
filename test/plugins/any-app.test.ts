import t from 'tap'
import { lucilius } from '../../lib/index.js'
import { cache } from '../../plugins/cache/index.js'
import { log } from '../../plugins/log/index.js'
import { mock } from '../../plugins/mock/index.js'

interface Contract {
  'role:area,cmd:of'(message: { side: number }): number
}

t.test('the plugins fit an app of any contract, a strict one included', async (t) => {
  await using app = lucilius<Contract, Record<never, never>, 'strict'>()
  const area = mock('role:area,cmd:of', 9)
  app
    .use(log())
    .use(cache({ pattern: 'role:area', keys: ['side'], ttlMs: 1000 }))
    .use(area)
  t.equal(await app.act('role:area,cmd:of', { side: 3 }), 9)
  t.equal(await app.act('role:area,cmd:of', { side: 3 }), 9)
  t.equal(area.sent.length, 1)
})
