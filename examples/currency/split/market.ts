// The market in a process of its own.
import { lucilius } from 'lucilius'
import { market } from '../market.js'
import { line, secret } from './line.js'
import { eachAddress, endWithParent } from './parent.js'

const app = lucilius({ name: 'market' })
app.use(market, { everyMs: 400, seed: 1 })
endWithParent(app)

await eachAddress((url) => app.connect(line({ url }), { auth: secret() }))
await app.ready()
