import { defineSystem } from '../../lib/system/index.js'
import { conditions } from './conditions.js'

const options = conditions()

const groups = {
  rates: ['rates'],
  convert: { services: ['convert'], replicas: 2 },
  ask: ['ask'],
} as const

/** What is put through chaos: one who asks, two who pass it on, one who does it. Limits are what they are unless set. */
export const system = defineSystem({
  name: 'chaos',
  root: import.meta.url,
  limits: options.retries === undefined ? {} : { retry: { perSecond: options.retries } },
  services: {
    rates: { module: () => import('./rates.js'), options, uses: [] },
    convert: { module: () => import('./convert.js'), options, uses: ['role:rates,cmd:*'] },
    ask: { module: () => import('./ask.js'), options, uses: ['role:convert,cmd:*'] },
  },
  deployments: {
    split: { groups },
    'over-http': { transport: 'http', groups },
  },
})
