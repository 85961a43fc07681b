// The floor of the wire: newline-delimited JSON over one TCP connection. Variants: plain writes each message, batch
// joins what a turn of the event loop produced, cap16 is batch sent early at 16 messages.
import { createConnection, createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { createCalls, joined } from '../lib/channel.js'
import { handler } from '../lib/work.js'

function onLines(socket, onItem) {
  let rest = ''
  socket.setEncoding('utf8')
  socket.on('data', (data) => {
    const text = rest + data
    let from = 0
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', from)) {
      onItem(JSON.parse(text.slice(from, end)))
      from = end + 1
    }
    rest = text.slice(from)
  })
}

const writer = (socket, variant) => joined((texts) => socket.write(`${texts.join('\n')}\n`), variant)

function listen(port, onSocket) {
  const server = createServer((socket) => {
    socket.setNoDelay(true)
    socket.on('error', () => {}) // a client that was killed
    onSocket(socket)
  })
  return new Promise((resolve) => server.listen(port, '127.0.0.1', resolve))
}

function open(port) {
  return new Promise((resolve, reject) => {
    const socket = createConnection(port, '127.0.0.1', () => resolve(socket.setNoDelay(true)))
    socket.on('error', reject)
  })
}

export const adapter = {
  async server({ port, variant }) {
    await listen(port, (socket) => {
      const send = writer(socket, variant)
      onLines(socket, async ({ id, message }) => send(JSON.stringify({ id, reply: await handler(message) })))
    })
  },
  async client({ port, variant }) {
    const socket = await open(port)
    const { call, onReply } = createCalls(writer(socket, variant))
    onLines(socket, onReply)
    return { call }
  },
  async publisher({ port, variant }) {
    const sockets = []
    const writers = []
    await listen(port, (socket) => {
      sockets.push(socket)
      writers.push(writer(socket, variant))
    })
    return {
      publish(message) {
        const text = JSON.stringify(message)
        for (const write of writers) write(text)
      },
      async drain() {
        while (sockets.some((socket) => socket.writableLength > 1e6)) await sleep(1)
      },
    }
  },
  async subscriber({ port }, onMessage) {
    onLines(await open(port), onMessage)
  },
}
