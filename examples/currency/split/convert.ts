// The conversions in a process of their own, the yen with them. There may be several.
import { lucilius } from 'lucilius'
import { convert } from '../convert.js'
import { yen } from '../yen.js'
import { line, secret } from './line.js'
import { eachAddress, endWithParent, tellParent } from './parent.js'

const app = lucilius({ name: 'convert' })
app.use(convert).use(yen)
endWithParent(app)

await eachAddress((url) => app.connect(line({ url }), { auth: secret() }))
const listener = await app.listen(line({ port: 0 }), {
  audience: 'peers',
  auth: secret(),
  expose: ['role:convert,cmd:*', 'role:convert,cmd:*,to:*'],
})
tellParent(listener.url)
