// Which process a service runs in is decided where it is started, and nowhere else. Here it moves from one app to
// another; the two talk through the real protocol, without a socket. The service and the question stay as they were.
import { type App, lucilius } from 'lucilius'
import { inProcess } from 'lucilius/transports/in-process'

function greeter(app: App) {
  app.add('role:greet,cmd:hello', ({ name }) => ({ text: `Hello, ${name}!` }))
}

const alone = lucilius({ name: 'alone' })
alone.use(greeter)
console.log(await alone.act('role:greet,cmd:hello,name:world'), alone.find('role:greet,cmd:hello')?.remote)
await alone.close()

const there = lucilius({ name: 'there' })
there.use(greeter)
const listener = await there.listen(inProcess(), { expose: ['role:greet,cmd:*'] })

const here = lucilius({ name: 'here' })
await here.connect(inProcess({ url: listener.url }))
console.log(await here.act('role:greet,cmd:hello,name:world'), here.find('role:greet,cmd:hello')?.remote)

await here.close()
await there.close()

// prints:
// { text: 'Hello, world!' } undefined
// { text: 'Hello, world!' } there
