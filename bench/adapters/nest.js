// NestJS microservice over TCP. Plain JavaScript: the decorators are called by hand.
import 'reflect-metadata'
import { Controller, Module } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { ClientProxyFactory, MessagePattern, Transport } from '@nestjs/microservices'
import { firstValueFrom } from 'rxjs'
import { handler, PATTERN } from '../lib/work.js'

class Rates {
  convert(message) {
    return handler(message)
  }
}
const convert = Object.getOwnPropertyDescriptor(Rates.prototype, 'convert')
Reflect.decorate([MessagePattern(PATTERN)], Rates.prototype, 'convert', convert)
Controller()(Rates)

class App {}
Module({ controllers: [Rates] })(App)

const transport = (port) => ({ transport: Transport.TCP, options: { host: '127.0.0.1', port } })

export const adapter = {
  async server({ port }) {
    const app = await NestFactory.createMicroservice(App, { ...transport(port), logger: false })
    await app.listen()
  },
  async client({ port }) {
    const client = ClientProxyFactory.create(transport(port))
    return { call: (message) => firstValueFrom(client.send(PATTERN, message)) }
  },
}
