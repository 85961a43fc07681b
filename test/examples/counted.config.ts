import type { App } from 'lucilius'
import type { System } from 'lucilius/system'
import { system } from '../../examples/currency/lucilius.config.js'
import { brandSystem } from '../../lib/system/system.js'

/** The currency system, and in each process somebody who tells how many conversions it has answered. */
export const counted: System = brandSystem({
  ...system,
  plugins: new Map([['count', { name: 'count', module: async () => count, options: undefined }]]),
})

function count(app: App): void {
  let answered = 0
  let timer: NodeJS.Timeout | undefined
  app.wrap('role:convert,cmd:amount', (next) => (message, context) => {
    answered++
    return next(message, context)
  })
  app.onReady(() => {
    timer = setInterval(() => {
      if (answered > 0) console.log(`answered ${answered}`)
      answered = 0
    }, 200)
  })
  app.onClose(() => clearInterval(timer))
}
