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
    counts.resets++
    pair.near.resetAndDestroy()
    pair.far.resetAndDestroy()
  }

  const pipe = (pair: Pair, from: Socket, into: Socket) => {
    let due = 0
    let passed = 0
    const pass = (part: Buffer) => {
      if (into.destroyed) return
      passed += part.length
      into.write(part)
      if (faults.resetAfter !== undefined && passed >= faults.resetAfter) reset(pair)
    }
    from.on('data', (chunk) => {
      const { latencyMs = 0, jitterMs = 0, frozen, slice = chunk.length } = faults
      if (frozen === true) return
      for (let at = 0; at < chunk.length; at += slice) {
        const part = chunk.subarray(at, at + slice)
        const wait = latencyMs + Math.random() * jitterMs
        // Nothing overtakes what was sent before it.
        due = Math.max(due, performance.now() + wait)
        const left = due - performance.now()
        if (left <= 0 && wait === 0) pass(part)
        else setTimeout(pass, left, part)
      }
    })
    from.on('error', () => into.destroy())
    from.on('close', () => setTimeout(() => into.destroy(), Math.max(0, due - performance.now())))
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
      socket.on('close', () => pairs.delete(pair))
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
