// The floor of WebSocket: ws, one connection, one JSON frame a message. Variants as in net.js: a joined frame is an
// array of messages.
import { setTimeout as sleep } from 'node:timers/promises'
import { WebSocket, WebSocketServer } from 'ws'
import { createCalls, joined } from '../lib/channel.js'
import { handler } from '../lib/work.js'

function onItems(socket, onItem) {
  socket.on('message', (data) => {
    const content = JSON.parse(data)
    if (!Array.isArray(content)) return onItem(content)
    for (const item of content) onItem(item)
  })
}

const writer = (send, variant) => joined((texts) => send(variant ? `[${texts.join()}]` : texts[0]), variant)

function listen(port) {
  return new Promise((resolve) => {
    const server = new WebSocketServer({ port, host: '127.0.0.1', perMessageDeflate: false }, () => resolve(server))
  })
}

function open(port) {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}`, { perMessageDeflate: false })
    socket.once('open', () => resolve(socket))
    socket.once('error', reject)
  })
}

export const adapter = {
  async server({ port, variant }) {
    const server = await listen(port)
    server.on('connection', (socket) => {
      const send = writer((text) => socket.send(text), variant)
      onItems(socket, async ({ id, message }) => send(JSON.stringify({ id, reply: await handler(message) })))
    })
  },
  async client({ port, variant }) {
    const socket = await open(port)
    const { call, onReply } = createCalls(writer((text) => socket.send(text), variant))
    onItems(socket, onReply)
    return { call }
  },
  async publisher({ port, variant }) {
    const { clients } = await listen(port)
    const send = writer((text) => {
      const data = Buffer.from(text) // encoded once for all
      for (const client of clients) client.send(data, { binary: false })
    }, variant)
    return {
      publish: (message) => send(JSON.stringify(message)),
      async drain() {
        while ([...clients].some((client) => client.bufferedAmount > 1e6)) await sleep(1)
      },
    }
  },
  async subscriber({ port }, onMessage) {
    onItems(await open(port), onMessage)
  },
}
