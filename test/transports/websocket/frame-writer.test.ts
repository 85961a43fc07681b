import { PassThrough, type Writable } from 'node:stream'
import t from 'tap'
import * as ws from 'ws'
import { FrameWriter } from '../../../transports/websocket/frame-writer.js'

/** What reads frames in ws; its types leave it out. */
const { Receiver } = ws as unknown as { readonly Receiver: new (options: { isServer: boolean }) => Writable }

const lengths = [0, 1, 2, 3, 4, 5, 7, 124, 125, 126, 127, 128, 4095, 65_534, 65_535, 65_536, 65_537, 200_001]
const texts = [
  ...lengths.map((length) => 'x'.repeat(length)),
  ...lengths.map((length) => 'ü€😀 "\\'.repeat(Math.ceil(length / 6))),
]

for (const isClient of [true, false]) {
  t.test(
    `ws reads what is written ${isClient ? 'by a client, masked' : 'by a server'}, whatever its length`,
    async (t) => {
      const stream = new PassThrough()
      const read: string[] = []
      const receiver = new Receiver({ isServer: isClient })
      receiver.on('message', (data: Buffer, isBinary: boolean) => read.push(isBinary ? 'binary' : data.toString()))
      const writer = new FrameWriter(stream, isClient)
      for (const text of texts) {
        await new Promise<void>((resolve) => {
          writer.write(text, resolve)
          receiver.write(stream.read())
        })
      }
      t.strictSame(read, texts)
    },
  )
}

t.test('a client masks each frame with a key of its own', (t) => {
  const stream = new PassThrough()
  const writer = new FrameWriter(stream, true)
  const keys = new Set<string>()
  for (let count = 0; count < 5000; count++) {
    writer.write('hello', undefined)
    keys.add((stream.read() as Buffer).toString('hex', 2, 6))
  }
  t.ok(keys.size > 4990)
  t.end()
})
