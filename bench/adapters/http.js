// The floor of HTTP: node:http with no framework, an undici pool. Variants as in fastify.js, and dispatch (the pool
// without streams).
import { createServer } from 'node:http'
import { httpClient } from '../lib/http-client.js'
import { handler } from '../lib/work.js'

function answer(request, response) {
  let body = ''
  request.setEncoding('utf8')
  request.on('data', (text) => {
    body += text
  })
  request.on('end', async () => {
    const reply = JSON.stringify(await handler(JSON.parse(body)))
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(reply) })
    response.end(reply)
  })
}

export const adapter = {
  async server({ port }) {
    await new Promise((resolve) => createServer(answer).listen(port, '127.0.0.1', resolve))
  },
  client: httpClient,
}
