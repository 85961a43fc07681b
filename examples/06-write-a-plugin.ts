// A plugin is a function that registers actions, wraps and subscriptions. What it adds is known by its name, and what
// it opens when the app is ready it closes with the app.
import { type App, lucilius } from 'lucilius'
import { mock } from 'lucilius/plugins/mock'

/** A service: counts what is sold, and asks somebody for prices. */
function till(app: App, { currency }: { currency: string }) {
  let total = 0
  app.add('role:till,cmd:sell', async ({ item }, { act }) => {
    const { price } = (await act('role:price,cmd:of', { item })) as { price: number }
    total += price
    return `${item} for ${price} ${currency}`
  })
  app.onReady(() => console.log('the till is open'))
  app.onClose(() => console.log(`the till is closed: ${total} ${currency}`))
}

/** A policy: no service, and loaded by every process that wants it. */
const upperCase = {
  name: 'upper-case',
  needs: ['till'],
  setup: (app: App) =>
    app.wrap('role:till', (next) => async (message, context) => String(await next(message, context)).toUpperCase()),
}

const app = lucilius()
app.use(till, { currency: 'coins' })
app.use(upperCase)
app.use(mock('role:price,cmd:of', { price: 3 })) // in place of a service that is not written yet

console.log(await app.act('role:till,cmd:sell,item:tea'))
console.log(app.list('role:till'))
await app.close()

// prints:
// the till is open
// TEA FOR 3 COINS
// [
//   { pattern: 'cmd:sell,role:till', service: 'till', remote: undefined }
// ]
// the till is closed: 3 coins
