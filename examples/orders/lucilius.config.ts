import { fileURLToPath } from 'node:url'
import { defineSystem } from 'lucilius/system'

/** Where all that has to outlive a process is kept: beside this file, unless the environment says otherwise. */
const data = process.env.ORDERS_DATA ?? fileURLToPath(new URL('data', import.meta.url))

/** What customers may ask. */
const outside = {
  transport: 'http',
  expose: ['role:order,cmd:place'],
  example: 'role:order,cmd:place,id:o-1,sku:apple,quantity:2',
} as const

/** Two that take orders, and one of each that writes a file. */
const groups = {
  order: { services: ['order'], replicas: 2, outside },
  notify: ['notify'],
  stock: ['stock'],
  payment: ['payment'],
} as const

export const system = defineSystem({
  name: 'orders',
  root: import.meta.url,
  services: {
    order: {
      module: () => import('./order.js'),
      options: { prices: { apple: 2, pear: 3, melon: 9 } },
      uses: ['role:order,event:created'],
    },
    notify: {
      module: () => import('./notify.js'),
      singleton: true,
      options: { outbox: `${data}/outbox.ndjson` },
      writes: ['data'],
      uses: [],
    },
    stock: {
      module: () => import('./stock.js'),
      singleton: true,
      options: { file: `${data}/stock.ndjson`, shelves: { apple: 10_000, pear: 10_000, melon: 1_000 } },
      writes: ['data'],
      uses: ['role:payment,cmd:charge', 'role:order,event:refused'],
    },
    payment: {
      module: () => import('./payment.js'),
      singleton: true,
      options: { file: `${data}/payments.ndjson`, limit: 50 },
      writes: ['data'],
      uses: [],
      internal: ['role:payment,cmd:charge'],
    },
  },
  deployments: {
    /** Everything in one process, events in files: `lucilius dev`, or supervised, `lucilius up dev`. */
    dev: { store: { embedded: `${data}/events` }, groups: { all: { services: '*', outside } } },
    /** A process for each, over NATS, whose JetStream keeps the events: `lucilius up nats`. */
    nats: { transport: 'nats', groups },
    /** The same over RabbitMQ: `lucilius up amqp`. */
    amqp: { transport: 'amqp', groups },
  },
})
