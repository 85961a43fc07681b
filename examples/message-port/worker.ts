import { type MessagePort, parentPort } from 'node:worker_threads'
import { lucilius } from 'lucilius'
import { messagePort } from './message-port.js'
import { primes } from './primes.js'

const app = lucilius({ name: 'primes' }).use(primes)
// A worker has a parent.
await app.listen(messagePort(parentPort as MessagePort), { expose: ['role:primes,cmd:*'] })
