// The client in a process of its own.
import { lucilius } from 'lucilius'
import { client } from '../client.js'
import { line, secret } from './line.js'
import { eachAddress, endWithParent } from './parent.js'

const app = lucilius({ name: 'client' })
app.use(client, { everyMs: 1000, print: console.log })
endWithParent(app)

await eachAddress((url) => app.connect(line({ url }), { auth: secret() }))
await app.ready()
