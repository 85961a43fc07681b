// A service that computes runs in a thread of its own. The transport between the threads is written for this example,
// by the same door as those of the package: docs/write-a-transport.md builds it step by step.
import { Worker } from 'node:worker_threads'
import { type ActionError, lucilius } from 'lucilius'
import { messagePort } from './message-port.js'

const worker = new Worker(new URL('./worker.js', import.meta.url))
const app = lucilius({ name: 'main' })
await app.connect(messagePort(worker))
console.log(app.find('role:primes,cmd:count')?.remote)

// While the worker counts, this thread is free.
let ticks = 0
const ticking = setInterval(() => ticks++, 1)
console.log(await app.act('role:primes,cmd:count,below:1000000'))
clearInterval(ticking)
console.log(ticks > 10 ? 'meanwhile this thread did other things' : 'this thread was kept waiting')

// An error comes through as it was thrown.
await app.act('role:primes,cmd:count').catch(({ code, message }: ActionError) => console.log(code, message))

await app.close()
await worker.terminate()

// prints:
// primes
// { count: 78498 }
// meanwhile this thread did other things
// BELOW_MISSING Say below which number: 'below'.
