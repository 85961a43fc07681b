import { MessageChannel, type MessagePort } from 'node:worker_threads'
import t from 'tap'
import { messagePort } from '../../examples/message-port/message-port.js'
import { conformance } from '../conformance/conformance.js'
import type { Means } from '../conformance/means.js'

/** The outer side of the door behind which each address listens. */
const doors = new Map<string, MessagePort>()

const means: Means = {
  listen: () => {
    const { port1, port2 } = new MessageChannel()
    const transport = messagePort(port1)
    return {
      ...transport,
      listen: async (receiver) => {
        const listener = await transport.listen(receiver)
        doors.set(listener.url, port2)
        return listener
      },
    }
  },
  connect: (url) => messagePort(doors.get(url) as MessagePort),
  exposesOnConnect: true,
}

conformance(t, { name: 'message port, strict', parity: 'strict', means })
conformance(t, { name: 'message port, parity off', parity: 'off', means })
