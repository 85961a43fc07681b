import { defineSystem } from 'lucilius/system'

export const system = defineSystem({
  name: 'shop',
  services: {
    // What a service sends stands in `uses`: `lucilius plan` checks that somebody answers it.
    stock: { module: './services/stock.js', singleton: true, uses: [] },
    order: { module: './services/order.js', uses: ['role:stock,cmd:take', 'role:order,event:placed'] },
  },
  // No service knows of this: it says who shares a process, and what the outside reaches.
  deployments: {
    split: {
      groups: {
        stock: { services: ['stock'], listen: { port: 7400 } },
        order: {
          services: ['order'],
          listen: { port: 7401 },
          outside: {
            transport: 'http',
            port: 8080,
            expose: ['role:order,cmd:place'],
            example: 'role:order,cmd:place,sku:apple,quantity:1',
          },
        },
      },
    },
  },
})
