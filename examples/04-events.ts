// An act has one answer. An event has any number of observers: who emits it neither knows them nor waits for them.
import { lucilius } from 'lucilius'

const app = lucilius()

app.on('role:stock,event:changed', ({ item, left }) => console.log(`shop window: ${left} of ${item}`))
const buyer = app.on('role:stock,event:changed,left:0', ({ item }) => {
  console.log(`buyer: order ${item}`)
  throw new Error('the telephone is dead')
})
const over = new Promise<void>((resolve) => {
  app.on('role:day,event:over', () => resolve())
})

await app.emit('role:stock,event:changed', { item: 'tea', left: 1 })
await app.emit('role:stock,event:changed', { item: 'tea', left: 0 })
await app.emit('role:day,event:over')

// Observers start in the order of emission, so by now both have run.
await over
console.log('failures of the buyer, which nobody else noticed:', buyer.failures)

await app.close()

// prints:
// shop window: 1 of tea
// buyer: order tea
// shop window: 0 of tea
// failures of the buyer, which nobody else noticed: 1
