import { defineSystem } from '../../../lib/system/index.js'

const services = { rates: './rates.js', convert: './convert.js' } as const

export const systems = [
  defineSystem({ services, deployments: { split: { groups: { a: ['rtes'] } } } }), // wrong: there is no such service
  defineSystem({ services, deployments: { split: { groups: { a: { services: ['convert', 'x'] } } } } }), // wrong: nor this
  defineSystem({ services, deployments: { split: { groups: { a: { services: 'convert' } } } } }), // wrong: a list, or '*'
  defineSystem({ services, deployments: { split: { transport: 'ws', groups: { a: '*' } } } }), // wrong: another name
  defineSystem({ services, deployments: { split: { group: {} } } }), // wrong: a misspelt key
  defineSystem({ services, limits: { parity: 'off' } }), // wrong: the command says so
  defineSystem({ services: { rates: 1 } }), // wrong: no module
  defineSystem({ services, deployments: { split: { groups: { a: { services: '*', outside: { transport: 'http' } } } } } }), // wrong: expose is missing
]
