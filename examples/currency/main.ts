// The currency system in one process, open to pages, curl and other languages. With a message as argument it answers that
// one, opens nothing and ends. `--port` or PORT says where to listen: 0, which takes a free port, unless given.
import { parseArgs } from 'node:util'
import { ActionError, LuciliusError, lucilius } from 'lucilius'
import { http } from 'lucilius/transports/http'
import { client } from './client.js'
import { convert } from './convert.js'
import { market } from './market.js'
import { rates } from './rates.js'
import { yen } from './yen.js'

const app = lucilius({ name: 'currency' })
app.use(rates).use(convert).use(yen)

try {
  const { values, positionals } = parseArgs({ options: { port: { type: 'string' } }, allowPositionals: true })
  const [text, ...more] = positionals
  if (more.length > 0) throw new Error("Give one message, in quotes: 'role:convert,cmd:rate,from:usd,to:eur'")
  if (text === undefined) await converse(Number(values.port ?? process.env.PORT ?? 0))
  else await answer(text)
} catch (error) {
  console.error(inWords(error))
  process.exitCode = 1
  await app.close()
}

/** One message, no market: the same question has the same answer. */
async function answer(text: string): Promise<void> {
  const reply = await app.act(text)
  console.log(JSON.stringify(reply ?? null))
  await app.close()
}

async function converse(port: number): Promise<void> {
  app.use(market, { everyMs: 400, seed: 1 }).use(client, { everyMs: 1000, print: console.log })
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => app.close().catch(fail))
  const { url } = await app.listen(http({ port }), {
    expose: ['role:convert,cmd:*', 'role:convert,cmd:*,to:*', 'role:rates,cmd:get', 'role:rates,cmd:list'],
  })
  console.log('The market is simulated: a random walk from made-up rates. Ctrl-C ends it.')
  const message = '{"role":"convert","cmd":"amount","from":"usd","to":"eur","amount":100}'
  console.log(`curl -H 'content-type: application/json' -d '${message}' ${url}/act`)
}

function fail(error: unknown): void {
  console.error(inWords(error))
  process.exitCode = 1
}

function inWords(error: unknown): string {
  if (error instanceof ActionError) return `${error.code}: ${error.message} ${JSON.stringify(error.details ?? {})}`
  if (error instanceof LuciliusError) return `${error.code}: ${error.message}`
  return error instanceof Error ? error.message : String(error)
}
