// Two ways to build on an action that you do not touch. A prior is what stood there before; a wrap goes around many.
import { lucilius } from 'lucilius'

const app = lucilius()

app.add('role:price,cmd:of', ({ item }) => ({ item, price: item === 'tea' ? 4 : 10 }))

// The same pattern again stands in front. `prior` calls what it stands in front of, with the same message.
app.add('role:price,cmd:of', async (_message, { prior }) => {
  const reply = (await prior()) as { price: number }
  return { ...reply, price: reply.price * 1.25, tax: true }
})

// A more specific pattern has a prior too: the next wider one.
app.add('role:price,cmd:of,member:true', async (_message, { prior }) => {
  const reply = (await prior()) as { price: number }
  return { ...reply, price: reply.price - 1 }
})

// A wrap goes around every action that its pattern covers, those added later included.
app.wrap('role:price', (next) => async (message, context) => {
  console.log('asked:', context.pattern)
  return next(message, context)
})

console.log(await app.act('role:price,cmd:of,item:tea'))
console.log(await app.act('role:price,cmd:of,item:tea,member:true'))

await app.close()

// prints:
// asked: cmd:of,role:price
// asked: cmd:of,role:price
// { item: 'tea', price: 5, tax: true }
// asked: cmd:of,member:true,role:price
// asked: cmd:of,role:price
// asked: cmd:of,role:price
// { item: 'tea', price: 4, tax: true }
