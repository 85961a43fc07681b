// fastify and an undici pool. Variants: p1 (64 connections, no pipelining), p10 (8 connections, pipelining 10).
import fastify from 'fastify'
import { httpClient } from '../lib/http-client.js'
import { handler } from '../lib/work.js'

export const adapter = {
  async server({ port }) {
    const app = fastify({ logger: false })
    app.post('/act', (request) => handler(request.body))
    await app.listen({ port, host: '127.0.0.1' })
  },
  client: httpClient,
}
