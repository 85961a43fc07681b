import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** What goes wrong between the two ends of a {@link FaultProxy}; nothing unless given. */
export interface Faults {
  /** Milliseconds that everything takes longer, and up to how many more. */
  readonly latencyMs?: number
  readonly jitterMs?: number
  /** Bytes of each write: everything arrives in pieces. */
  readonly slice?: number
  /** Swallows everything, and keeps the sockets open: what half open means. */
  readonly frozen?: boolean
  /** Resets whoever connects. */
  readonly refuse?: boolean
  /** Resets a connection once so many bytes went one way. */
  readonly resetAfter?: number
}

/** A TCP proxy on loopback that harms what passes through it. */
export interface FaultProxy {
  readonly port: number
  /** How many connections were made and how many of them were reset. */
  readonly counts: { accepted: number; resets: number }
  /** Replaces the faults, for connections that are open as well. */
  set(faults: Faults): void
  /** Resets all connections, and those to come until `set` is called. */
  cut(): void
  close(): Promise<void>
}

interface Pair {
  readonly near: Socket
  readonly far: Socket
}

/** Starts a proxy to a port of loopback. */
export async function faultProxy(to: number): Promise<FaultProxy> {
  let faults: Faults = {}
  const pairs = new Set<Pair>()
  const counts = { accepted: 0, resets: 0 }

  const reset = (pair: Pair) => {
    if (!pairs.delete(pair)) return
    counts.resets++
    // Node 20 never lets go of a socket that is reset while it connects, still writes or was ended.
    for (const socket of [pair.near, pair.far]) {
      if (socket.connecting || socket.writableEnded || socket.writableLength > 0) socket.destroy()
      else socket.resetAndDestroy()
    }
  }

  const pipe = (pair: Pair, from: Socket, into: Socket) => {
    const queue: { readonly part: Buffer; readonly due: number }[] = []
    let timer: NodeJS.Timeout | undefined
    let passed = 0
    const pass = (part: Buffer) => {
      if (into.destroyed) return
      passed += part.length
      into.write(part)
      if (faults.resetAfter !== undefined && passed >= faults.resetAfter) reset(pair)
    }
    // One timer for all: nothing overtakes what was sent before it.
    const flush = () => {
      timer = undefined
      for (let next = queue[0]; next !== undefined; next = queue[0]) {
        const left = next.due - performance.now()
        if (left > 0) {
          timer = setTimeout(flush, left)
          return
        }
        queue.shift()
        pass(next.part)
      }
      if (from.destroyed) into.end()
    }
    from.on('data', (chunk) => {
      const { latencyMs = 0, jitterMs = 0, frozen, slice = chunk.length } = faults
      if (frozen === true) return
      for (let at = 0; at < chunk.length; at += slice) {
        queue.push({
          part: chunk.subarray(at, at + slice),
          due: performance.now() + latencyMs + Math.random() * jitterMs,
        })
      }
      if (timer === undefined) flush()
    })
    from.on('error', () => pairs.has(pair) && into.destroy())
    from.on('close', () => {
      if (timer === undefined) flush()
    })
  }

  const server = createServer((near) => {
    counts.accepted++
    near.on('error', () => {})
    if (faults.refuse === true) {
      counts.resets++
      near.resetAndDestroy()
      return
    }
    const far = connect(to, '127.0.0.1')
    const pair = { near, far }
    pairs.add(pair)
    for (const socket of [near, far]) {
      socket.setNoDelay()
      socket.on('close', () => near.destroyed && far.destroyed && pairs.delete(pair))
    }
    pipe(pair, near, far)
    pipe(pair, far, near)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))

  return {
    port: (server.address() as AddressInfo).port,
    counts,
    set: (next) => {
      faults = next
    },
    cut: () => {
      faults = { ...faults, refuse: true }
      for (const pair of pairs) reset(pair)
    },
    close: () =>
      new Promise((resolve) => {
        for (const { near, far } of pairs) {
          near.destroy()
          far.destroy()
        }
        server.close(() => resolve())
      }),
  }
}
