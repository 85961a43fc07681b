import { defineSystem } from '../../../lib/system/index.js'

export const whole = defineSystem({ services: { rates: './rates.js', convert: () => import('./act.js') } })

export const split = defineSystem({
  name: 'currency',
  root: import.meta.url,
  services: {
    rates: './rates.js',
    convert: { module: './convert.js', uses: ['role:rates', { role: 'log' }], internal: ['role:convert,cmd:reset'] },
    market: { module: () => import('./act.js'), options: { seed: 1 }, singleton: true },
  },
  plugins: { log: 'lucilius/plugins/log', audit: { module: './audit.js', options: { level: 2 } } },
  deployments: {
    one: { groups: { all: '*' } },
    split: {
      transport: 'http',
      groups: {
        market: ['market', 'rates'],
        convert: {
          services: ['convert'],
          replicas: 2,
          listen: { host: '0.0.0.0', port: 7400, urls: ['http://a:7400', 'http://b:7400'] },
          outside: { transport: 'http', port: 8080, expose: ['role:convert,cmd:*'], auth: () => true },
          peers: ['market'],
        },
        rest: { services: '*', outside: [{ transport: 'websocket', expose: '*', origins: ['https://shop.example'] }] },
      },
    },
  },
  limits: { timeoutMs: 5000, park: { max: 10 } },
})
