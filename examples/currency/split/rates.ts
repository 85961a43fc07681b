// The rates in a process of their own.
import { lucilius } from 'lucilius'
import { rates } from '../rates.js'
import { line, secret } from './line.js'
import { endWithParent, tellParent } from './parent.js'

const app = lucilius({ name: 'rates' })
app.use(rates)
endWithParent(app)

const listener = await app.listen(line({ port: 0 }), {
  audience: 'peers',
  auth: secret(),
  expose: ['role:rates,cmd:*'],
  events: { out: ['role:rates,event:changed'] },
})
tellParent(listener.url)
