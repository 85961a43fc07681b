import { looseObject, number, optional } from 'valibot'
import { type App, lucilius } from '../../lib/index.js'

/** What nobody outside may ever see. */
export const SECRET = 'S3CR3T-CANARY'

/** The patterns that the fixture lets in: `role:convert,cmd:rate,admin:true` and `role:internal,cmd:secret` are not there. */
export const exposed = ['role:convert,cmd:*'] as const

/** The app against which `test/cases/bad-inputs.json` is written. */
export function badInputsApp(): App {
  const app = lucilius({ name: 'fixture', parity: 'off', drainMs: 100 })
  const message = looseObject({ amount: optional(number()) })
  app.add('role:convert,cmd:rate', { message }, ({ amount }) => ({ rate: 0.91, amount }))
  app.add('role:convert,cmd:echo', (_message, { meta }) => meta)
  app.add('role:convert,cmd:throw', ({ how }) => fail(String(how)))
  app.add('role:convert,cmd:never', { timeoutMs: 1000 }, () => new Promise(() => {}))
  app.add('role:convert,cmd:rate,admin:true', () => SECRET)
  app.add('role:internal,cmd:secret', () => SECRET)
  return app
}

/** Limits of a listener of it. */
export const limits = { maxBytes: 1024 * 1024, headersTimeoutMs: 2000, requestTimeoutMs: 4000 } as const

function fail(how: string): unknown {
  if (how === 'undefined') throw undefined
  if (how === 'status') throw Object.assign(new Error('CANARY-ERR /etc/passwd'), { statusCode: 'nonsense', status: -1 })
  if (how !== 'cyclic') throw new Error('CANARY-ERR /etc/passwd')
  const cyclic: Record<string, unknown> = {}
  cyclic.self = cyclic
  throw cyclic
}
