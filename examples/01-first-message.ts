// An action answers a message. Who acts knows a pattern, never the function that answers.
import { lucilius } from 'lucilius'

const app = lucilius()

app.add('role:greet,cmd:hello', (message) => ({ text: `Hello, ${message.name}!` }))

// The same message in three spellings: a pattern and the rest, one text, one object.
console.log(await app.act('role:greet,cmd:hello', { name: 'world' }))
console.log(await app.act('role:greet,cmd:hello,name:world'))
console.log(await app.act({ role: 'greet', cmd: 'hello', name: 'world' }))

await app.close()

// prints:
// { text: 'Hello, world!' }
// { text: 'Hello, world!' }
// { text: 'Hello, world!' }

// prints:
// { text: 'Hello, world!' }
// { text: 'Hello, world!' }
// { text: 'Hello, world!' }
