// lucilius as built (`npm run build`). Variants of a local act: string (pattern string and message) and whole (one
// message) with parity off, strict-string and strict the same with parity strict.
// Everything else is as it comes: deadline, ids, hop count, must-ignore matching, settle once.
// Between processes the variant is the transport: two peers with parity off, connected by it.
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

  async server({ port, variant, patterns = 10 }) {
    const { app, transport } = await peer('server', variant)
    for (const pattern of otherPatterns(patterns)) app.add(pattern, handler)
    app.add(PATTERN, handler)
    await app.listen(transport({ port }), { expose: '*', audience: 'peers' })
  },

  async client({ port, variant }) {
    const { app, transport, address } = await peer('client', variant)
    await app.connect(transport({ url: address(port) }))
    return { call: (message) => app.act(message) }
  },

  // Every 1,024 events the subscribers are asked to answer, as any program does that emits more than they can take.
  async publisher({ port, variant }) {
    const { app, transport } = await peer('publisher', variant)
    await app.listen(transport({ port }), { expose: [], events: { out: '*' }, audience: 'peers' })
    let emitted = 0
    return {
      publish(message) {
        emitted++
        return app.emit('role:rate,event:changed', message)
      },
      async drain() {
        if (emitted % 1024 !== 0) return
        await Promise.all(app.list('role:subscriber').map(({ pattern }) => app.act(pattern)))
      },
    }
  },

  async subscriber({ port, variant, nr }, onMessage) {
    const { app, transport, address } = await peer('subscriber', variant)
    app.on('role:rate,event:changed', { each: 'instance' }, onMessage)
    app.add({ role: 'subscriber', nr }, () => true)
    await app.connect(transport({ url: address(port) }), { expose: '*' })
  },
}

async function peer(name, variant) {
  const { lucilius } = await import('../../build/lib/index.js')
  return { app: lucilius({ name, parity: 'off' }), ...(await carriers[variant]()) }
}

const carriers = {
  async websocket() {
    const { websocket } = await import('../../build/transports/websocket/index.js')
    return { transport: websocket, address: (port) => `ws://127.0.0.1:${port}/ws` }
  },
  async http() {
    const { http } = await import('../../build/transports/http/index.js')
    return { transport: http, address: (port) => `http://127.0.0.1:${port}` }
  },
}
