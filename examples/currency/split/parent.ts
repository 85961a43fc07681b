// What a process and the one that started it tell each other. A process that was started by hand has no parent: it prints
// its address, gets others as arguments, and ends on Ctrl-C.
import { subscribe } from 'node:diagnostics_channel'
import type { ActTrace, App } from 'lucilius'

const hasParent = process.send !== undefined

/** Connects to each address that this process gets: now those in its arguments, later those that its parent sends. */
export async function eachAddress(connect: (url: string) => Promise<unknown>): Promise<void> {
  process.on('message', (url) => void connect(String(url)))
  for (const url of process.argv.slice(2)) await connect(url)
}

/** Tells where this process listens, and from then on each second how many messages it has answered, if it was asked. */
export function tellParent(url: string): void {
  if (hasParent) process.send?.(url)
  else console.log(url)
  let answered = 0
  subscribe('tracing:lucilius:act:asyncEnd', (trace) => {
    const { hops, remote } = trace as ActTrace // What the channel is documented to carry.
    if (hops === 1 && remote === undefined) answered++
  })
  setInterval(() => {
    if (answered > 0) console.log(`answered ${answered}`)
    answered = 0
  }, 1000).unref()
}

/** Closes the app when the parent wants it or is gone. Ctrl-C reaches all processes at once: the parent knows the order. */
export function endWithParent(app: App): void {
  const end = async () => {
    await app.close()
    if (process.connected) process.disconnect()
  }
  process.once('SIGTERM', end)
  process.on('SIGINT', hasParent ? () => {} : end)
  if (!hasParent) return
  process.once('disconnect', end)
  if (!process.connected) void end()
}
