import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { curl } from '../support/curl.js'
import { repoRoot } from '../support/repo-root.js'
import { start } from './program.js'

t.test('the curl line that the currency system prints works', async (t) => {
  const { line } = await listening(t)
  t.match(JSON.parse(await curl(line)), { currency: 'eur', amount: Number, rate: Number })
})

t.test('who asks by HTTP converts and reads rates, and sets none', async (t) => {
  const { url } = await listening(t)
  const answers: [string, object][] = [
    ['{"role":"convert","cmd":"rate","from":"eur","to":"eur"}', { rate: 1 }],
    ['{"role":"convert","cmd":"amount","from":"eur","to":"jpy","amount":1}', { currency: 'jpy' }],
    ['{"role":"rates","cmd":"get","currency":"eur"}', { currency: 'eur', rate: 1 }],
    ['{"role":"rates","cmd":"set","currency":"usd","rate":2}', { error: { code: 'LUC_ACTION_NOT_FOUND' } }],
  ]
  for (const [message, reply] of answers) {
    t.match(JSON.parse(await curl(`curl -H 'content-type: application/json' -d '${message}' ${url}/act`)), reply)
  }
})

t.test('the curl lines of the pages answer what stands below them, but for numbers', async (t) => {
  const { url } = await listening(t)
  const samples = ['README.md', 'docs/http.md'].flatMap(samplesOf)
  t.ok(samples.length >= 2)
  for (const { line, printed } of samples) {
    const answer = await curl(line.replace('http://127.0.0.1:8080', url))
    t.equal(withoutNumbers(answer), withoutNumbers(printed), line)
  }
})

t.test('a port may be given by --port or LUCILIUS_HTTP_PORT, and one that is taken is told in one line', async (t) => {
  const taken = createServer().listen(0, '127.0.0.1')
  t.teardown(() => taken.close())
  await once(taken, 'listening')
  const port = String((taken.address() as AddressInfo).port) // It listens on a port.
  for (const [args, variables] of [
    [['--port', port], {}],
    [[], { LUCILIUS_HTTP_PORT: port }],
  ] as const) {
    const { code, complaints } = await start(t, args, variables).ended
    t.equal(code, 1)
    t.match(complaints, new RegExp(`^lucilius: [^\\n]*\\b${port}\\b[^\\n]*EADDRINUSE[^\\n]*\\n$`))
  }
  const { ended } = start(t, ['role:rates,cmd:list'], { LUCILIUS_HTTP_PORT: port })
  t.match(await ended, { code: 0 }, 'one message opens no port')
})

/** Starts the system, and gives the line and the address that it prints. */
async function listening(t: Test): Promise<{ line: string; url: string }> {
  const program = start(t, ['--port', '0'])
  t.teardown(async () => {
    program.signal('SIGTERM')
    await program.ended
  })
  const line = (await program.next(/\bcurl .*127\.0\.0\.1:\d+\/act$/)).replace(/^.*?(?=curl )/, '')
  return { line, url: /http:[^ ]*(?=\/act)/.exec(line)?.[0] ?? '' }
}

/** The blocks of a page that are one curl line, with the block right below. */
function samplesOf(page: string): { line: string; printed: string }[] {
  const text = readFileSync(join(repoRoot(), page), 'utf8')
  const found = text.matchAll(/^```sh\n(curl .*)\n```\n\n```(?:text|json)\n(.*)\n```$/gm)
  return [...found].map(([, line = '', printed = '']) => ({ line, printed }))
}

function withoutNumbers(text: string): string {
  return text.trim().replaceAll(/\d+(\.\d+)?/g, '0')
}
