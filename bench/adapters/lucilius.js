// lucilius as built (`npm run build`). Variants of a local act: string (pattern string and message) and whole (one
// message) with parity off, strict-string and strict the same with parity strict.
// Everything else is as it comes: deadline, ids, hop count, must-ignore matching, settle once.
import { handler, otherPatterns, PATTERN, restOfMessage } from '../lib/work.js'

export const adapter = {
  async local({ variant = 'string', patterns = 10 }) {
    const { lucilius } = await import('../../build/lib/index.js')
    const app = lucilius({ parity: variant.startsWith('strict') ? 'strict' : 'off' })
    for (const pattern of otherPatterns(patterns)) app.add(pattern, handler)
    app.add(PATTERN, handler)
    await app.ready()
    if (!variant.endsWith('string')) return { call: (message) => app.act(message) }
    return { call: (message) => app.act('role:rate,cmd:convert', message), make: restOfMessage }
  },

  async index() {
    const { Router } = await import('../../build/lib/router/router.js')
    const { toPattern } = await import('../../build/lib/pattern.js')
    const router = new Router()
    return { add: (pattern, data) => router.set(toPattern(pattern), data), find: (message) => router.find(message) }
  },
}
