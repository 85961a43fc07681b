import { fileURLToPath } from 'node:url'
import grpc from '@grpc/grpc-js'
import loader from '@grpc/proto-loader'
import { handler } from '../lib/work.js'

const proto = fileURLToPath(new URL('./rate.proto', import.meta.url))
const { Rates } = grpc.loadPackageDefinition(loader.loadSync(proto)).bench

function convert(call, answer) {
  handler(call.request).then((reply) => answer(null, reply), answer)
}

export const adapter = {
  async server({ port }) {
    const server = new grpc.Server()
    server.addService(Rates.service, { convert })
    await new Promise((resolve, reject) => {
      const credentials = grpc.ServerCredentials.createInsecure()
      server.bindAsync(`127.0.0.1:${port}`, credentials, (error) => (error ? reject(error) : resolve()))
    })
  },
  async client({ port }) {
    const client = new Rates(`127.0.0.1:${port}`, grpc.credentials.createInsecure())
    return {
      call: (message) =>
        new Promise((resolve, reject) =>
          client.convert(message, (error, reply) => (error ? reject(error) : resolve(reply))),
        ),
    }
  },
}
