import { defineSystem } from 'lucilius/system'

/** What `lucilius dev` shows how to ask. */
const example = 'role:convert,cmd:amount,from:usd,to:eur,amount:100'

/** Who shares a process with whom once the system is split, and what the outside reaches. No service knows of it. */
const groups = {
  rates: ['rates'],
  convert: {
    services: ['convert', 'yen'],
    replicas: 2,
    outside: { transport: 'http', expose: ['role:convert,cmd:*', 'role:convert,cmd:*,to:*'], example },
  },
  market: ['market'],
  client: ['client'],
} as const

export const system = defineSystem({
  name: 'currency',
  root: import.meta.url,
  services: {
    // There is one who decides which rate holds, and nobody from outside has a say in it.
    rates: {
      module: () => import('./rates.js'),
      singleton: true,
      uses: ['role:rates,event:changed'],
      internal: ['role:rates,cmd:set'],
    },
    // yen is a special case in front of convert: without it yen have decimals, and nothing else changes.
    convert: { module: () => import('./convert.js'), uses: ['role:rates,cmd:list', 'role:convert,cmd:rate'] },
    yen: { module: () => import('./yen.js'), uses: [] },
    market: {
      module: () => import('./market.js'),
      singleton: true,
      options: { everyMs: 400, seed: 1 },
      uses: ['role:rates,cmd:list', 'role:rates,cmd:set'],
    },
    client: {
      module: () => import('./client.js'),
      options: { everyMs: 1000, print: console.log },
      uses: ['role:convert,cmd:amount'],
    },
  },
  deployments: {
    /** Everything in one process: `lucilius dev`. The port is a free one unless `--port` or `LUCILIUS_HTTP_PORT` says. */
    dev: {
      groups: {
        all: {
          services: '*',
          outside: {
            transport: 'http',
            expose: ['role:convert,cmd:*', 'role:convert,cmd:*,to:*', 'role:rates,cmd:get', 'role:rates,cmd:list'],
            example,
          },
        },
      },
    },
    /** A process for each, two that convert: `lucilius up split`. */
    split: { groups },
    /** The same, and they talk HTTP: `lucilius up over-http`. */
    'over-http': { transport: 'http', groups },
    /** The same through a NATS server: `lucilius up nats` starts one if nobody says where one is. */
    nats: { transport: 'nats', groups },
    /** The same through RabbitMQ, which has to run: `LUCILIUS_AMQP_URL` says where, if it is not on this machine. */
    amqp: { transport: 'amqp', groups },
    /**
     * Nobody says where anybody is: `lucilius start lan --group rates`, and so on, each in a terminal of its own, in any
     * order. Another `convert` joins those that run.
     */
    lan: { discovery: { multicast: true }, groups: { ...groups, convert: { ...groups.convert, replicas: 1 } } },
  },
})
