import { mkdtempSync, readFileSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { createColors } from 'picocolors'
import t, { type Test } from 'tap'
import { complete } from '../../lib/cli/repl/complete.js'
import { toTyped } from '../../lib/cli/repl/dot-commands.js'
import { fold } from '../../lib/cli/repl/fold.js'
import { History, historyFile, MOST_LINES } from '../../lib/cli/repl/history.js'
import { Prompt } from '../../lib/cli/repl/prompt.js'
import { traceLines } from '../../lib/cli/repl/trace-lines.js'
import { type Host, hostApp } from '../../lib/host.js'
import { ActionError } from '../../lib/index.js'
import { connectControl, openControl } from '../../lib/system/control/index.js'
import { lookingOn, MOST_A_SECOND, type PassedBatch } from '../../lib/system/passing.js'
import { http } from '../../transports/http/index.js'
import { lucilius } from './fake-io.js'
import { keys, noTerminal, Terminal } from './terminal.js'
import { eventually, main, started } from './up-program.js'

const patterns = [
  'cmd:amount,role:convert',
  'cmd:rate,role:convert',
  'cmd:get,role:rates',
  'cmd:amount,role:convert,to:*',
]

t.test('Tab completes keys and values of the patterns that fit what is typed before', async (t) => {
  const lines: readonly (readonly [line: string, hits: readonly string[], end: string])[] = [
    ['', ['cmd:', 'role:', 'to:'], ''],
    ['ro', ['role:'], 'ro'],
    ['role:', ['role:convert', 'role:rates'], 'role:'],
    ['role:r', ['role:rates'], 'role:r'],
    ['role:convert,', ['cmd:', 'to:'], ''],
    ['role:convert, cmd:', ['cmd:amount', 'cmd:rate'], 'cmd:'],
    ['role:rates,cmd:', ['cmd:get'], 'cmd:'],
    ['role:nobody,cmd:', [], 'cmd:'],
    ['role:convert,to:', [], 'to:'],
    ['amounts:[1,', [], 'amounts:[1,'],
    ['.l', ['.list'], '.l'],
    ['.', ['.exit', '.explain', '.help', '.history', '.list', '.more', '.trace'], '.'],
    ['.trace ', ['off', 'on'], ''],
    ['.trace of', ['off'], 'of'],
    ['.explain role:convert,cmd:r', ['cmd:rate'], 'cmd:r'],
    ['.more ', [], '.more '],
  ]
  for (const [line, hits, end] of lines) t.strictSame(complete(line, patterns), [hits, end], line)
  t.strictSame(complete('a', ["a:'b c'", "'a b':1"]), [['a:'], 'a'], 'keys that need quotes begin with one')
  t.strictSame(complete('a:', ["a:'b c'"]), [["a:'b c'"], 'a:'])
})

t.test('a line is a message or a command, and what is neither says what it should be', async (t) => {
  t.equal(toTyped('  '), undefined)
  t.strictSame(toTyped(' role:a,cmd:b '), { kind: 'message', text: 'role:a,cmd:b' })
  t.strictSame(toTyped('.list'), { kind: 'command', name: '.list', rest: '' })
  t.strictSame(toTyped('.explain a:1, b:2'), { kind: 'command', name: '.explain', rest: 'a:1, b:2' })
  t.throws(() => toTyped('.trce on'), { message: /no \.trce: did you mean '?\.trace/ })
  t.throws(() => toTyped('.trace'), { message: 'It is: .trace on|off' })
  t.throws(() => toTyped('.explain'), { message: 'It is: .explain <message>' })
  t.throws(() => toTyped('.more 3'), { message: 'It is: .more' })
})

t.test('what is longer than the screen is folded, and the rest is counted in lines of the screen', async (t) => {
  const ten = Array.from({ length: 10 }, (_, at) => String(at))
  t.strictSame(fold(ten, 80, 10), { shown: ten, rest: [], left: 0 })
  t.strictSame(fold(ten, 80, 4), { shown: ten.slice(0, 4), rest: ten.slice(4), left: 6 })
  t.strictSame(fold(['abcdefgh', 'i'], 3, 2), { shown: ['abcdef'], rest: ['gh', 'i'], left: 2 })
  t.strictSame(fold(['汉字汉字'], 4, 1), { shown: ['汉字'], rest: ['汉字'], left: 1 }, 'ideographs take two columns')
  t.strictSame(fold(['ééé'], 3, 1), { shown: ['ééé'], rest: [], left: 0 }, 'marks take none')
  t.strictSame(fold(ten, 80, -3).shown, ['0'], 'a tiny screen shows something')
})

t.test('a line about what passed has all of it, and nothing that acts on a terminal', async (t) => {
  const passed = { at: 0, service: 'convert', pattern: 'cmd:rate', ms: 1.234, hops: 2, trace: '0a1b2c3d' }
  const batch = { process: 'convert.1', passed: [passed, { ...passed, error: 'X\u001b[2J' }], dropped: 7 }
  const [first, second, third] = traceLines(batch, 10, createColors(false))
  t.match(first, /^\d\d:\d\d:00\.000 0a1b2c3d convert\.1 {3}1\.2 ms {3}convert cmd:rate ok$/)
  t.match(second, /cmd:rate X\\u001b\[2J$/)
  t.match(third, /7 more passed in convert\.1/)
})

t.test('the history is in a file of the user alone, bounded, and without what is not to be kept', async (t) => {
  const folder = temporary(t)
  const file = historyFile({ XDG_STATE_HOME: folder })
  t.equal(historyFile({ HOME: '/home/a' }), '/home/a/.local/state/lucilius/repl-history')
  const history = new History(file)
  t.strictSame(history.read(), [])
  for (let count = 0; count < MOST_LINES + 5; count++) history.add(`a:${count}`)
  history.add(' secret:1')
  history.keep(false)
  history.add('secret:2')
  t.equal(statSync(file).mode & 0o777, 0o600)
  t.equal(statSync(join(folder, 'lucilius')).mode & 0o777, 0o700)
  const lines = new History(file).read()
  t.strictSame([lines.length, lines[0], lines.at(-1)], [MOST_LINES, 'a:5', `a:${MOST_LINES + 4}`])
  t.equal(readFileSync(file, 'utf8').split('\n').length, MOST_LINES + 1, 'the file is cut, too')
  history.clear()
  t.strictSame(history.read(), [])
  t.equal(statSync(file).mode & 0o777, 0o600)
  const nowhere = new History('/dev/null/history')
  t.doesNotThrow(() => nowhere.add('a:1'))
})

t.test('an answer of a control socket says who gave it and how long it took, and cancel gives an act up', async (t) => {
  const { host, path, aborted } = await running(t)
  const client = await connectControl(path)
  t.teardown(() => client.close())
  const heard: unknown[] = []
  const answered = (by: string | undefined, ms: number) => heard.push([by, ms >= 0 && ms < 5000])
  await client.act('role:bank,cmd:sum,of:[1,2]', { answered })
  await t.rejects(client.act('role:bank,cmd:refuse', { answered }), { code: 'TOO_POOR' })
  await t.rejects(client.act('role:nobody', { answered }), { code: 'LUC_ACTION_NOT_FOUND' })
  t.strictSame(heard, [
    ['all', true],
    ['all', true],
    [undefined, true],
  ])
  const cancel = new AbortController()
  const slow = client.act('role:bank,cmd:slow', { signal: cancel.signal })
  await eventually(() => host.running().length > 0)
  cancel.abort()
  await t.rejects(slow, { code: 'LUC_CANCELLED' })
  await aborted
  await t.rejects(client.act('role:bank,cmd:slow', { signal: AbortSignal.abort() }), { code: 'LUC_CANCELLED' })
})

t.test('what passes is told while somebody looks on, with outcome, hops and trace, and is bounded', async (t) => {
  const { host, path } = await running(t)
  const client = await connectControl(path)
  t.teardown(() => client.close())
  const batches: PassedBatch[] = []
  const passed = () => batches.flatMap((one) => one.passed)
  const off = new AbortController()
  const { of, ended } = await client.trace((batch) => batches.push(batch), off.signal)
  t.strictSame(of, ['all'])
  await client.act('role:bank,cmd:both')
  await t.rejects(client.act('role:bank,cmd:refuse'), { code: 'TOO_POOR' })
  await t.rejects(client.act('role:bank,cmd:throw'), { code: 'LUC_ACTION_FAILED' })
  await t.rejects(client.act('role:bank,cmd:slow', { timeoutMs: 20 }), { code: 'LUC_DEADLINE_EXCEEDED' })
  await host.app.emit('role:bank,event:robbed')
  await eventually(() => passed().length === 6)
  t.match(
    passed().map(({ pattern, error, hops }) => [pattern, error, hops]),
    [
      ['cmd:sum,role:bank', undefined, 2],
      ['cmd:both,role:bank', undefined, 1],
      ['cmd:refuse,role:bank', 'TOO_POOR', 1],
      ['cmd:throw,role:bank', 'LUC_ACTION_FAILED', 1],
      ['cmd:slow,role:bank', 'LUC_DEADLINE_EXCEEDED', 1],
      ['event:robbed,role:bank', undefined, 1],
    ],
  )
  const [sum, both, refuse] = passed()
  t.equal(sum?.trace, both?.trace, 'what follows from one message has its trace')
  t.not(sum?.trace, refuse?.trace)
  t.match(sum, { service: 'bank', trace: /^[0-9a-f]{8}$/ })
  batches.length = 0
  await Promise.all(Array.from({ length: MOST_A_SECOND * 3 }, () => host.app.act('role:bank,cmd:sum,of:[]')))
  await eventually(() => passed().length + (batches.at(-1)?.dropped ?? 0) >= MOST_A_SECOND)
  await eventually(() => batches.reduce((sum, one) => sum + one.passed.length + one.dropped, 0) === MOST_A_SECOND * 3)
  t.ok(passed().length <= MOST_A_SECOND * 2, 'in two seconds at most')
  batches.length = 0
  await client.act('role:bank,cmd:both')
  off.abort()
  await ended
  const told = batches.reduce((sum, one) => sum + one.passed.length + one.dropped, 0)
  t.equal(told, 2, 'what passed before its end is told')
  batches.length = 0
  await client.act('role:bank,cmd:both')
  await client.about()
  t.strictSame(batches, [])
  const gone = await connectControl(path)
  const lost = await gone.trace(() => {}, new AbortController().signal)
  gone.close()
  await t.rejects(lost.ended, { code: 'LUC_REPLY_LOST' })
})

t.test(
  'lines that are piped in are answered with a line of JSON each, and one that fails ends it with 1',
  async (t) => {
    const { folder, env } = await running(t)
    const ask = (lines: readonly string[]) =>
      lucilius(['repl'], { cwd: folder, env, stdin: Readable.from(lines.map((line) => `${line}\n`)) })
    const good = await ask([
      '',
      'role:bank,cmd:sum,of:[1,2]',
      '.list cmd:sum',
      '.explain role:bank,cmd:sum',
      '.exit',
      'a:1',
    ])
    t.strictSame([good.code, good.stderr], [0, ''])
    const [sum, list, explained, ...none] = jsonLines(good.stdout)
    t.match(sum, { reply: { sum: 3 }, by: 'all', ms: Number })
    t.match(good.stdout, /^[^\n]*"ms":\d+(\.\d{1,3})?\}\n/, 'in microseconds at most')
    t.match(list, { list: [{ pattern: 'cmd:sum,role:bank', service: 'bank' }] })
    t.match(explained, { explanation: { winner: { pattern: 'cmd:sum,role:bank' } } })
    t.strictSame(none, [], '.exit ends it')
    const watched = await ask([
      '.trace on',
      'role:bank,cmd:sum,of:[1]',
      '.trace off',
      '.trace on',
      'role:bank,cmd:sum,of:[1]',
    ])
    const passed = { process: 'all', passed: [{ pattern: 'cmd:sum,role:bank' }], dropped: 0 }
    const reply = { reply: { sum: 1 } }
    const on = { trace: 'on', of: ['all'] }
    t.match(
      jsonLines(watched.stdout),
      [on, reply, passed, { trace: 'off' }, on, reply, passed],
      'up to the end of the lines',
    )
    const bad = await ask(['process.exit(7)', '.frob', '.more', 'role:bank,cmd:refuse', 'role:bank,cmd:evil'])
    t.equal(bad.code, 1)
    const [noCode, noCommand, notHere, refused, evil] = jsonLines(bad.stdout)
    t.match(noCode, { error: { code: 'LUC_PATTERN_INVALID' } }, 'nothing that is typed is run')
    t.match(noCommand, { error: { message: /There is no \.frob/ } })
    t.match(notHere, { error: { message: '.more is for a terminal.' } })
    t.match(refused, { error: { code: 'TOO_POOR', details: { left: 0 } }, by: 'all' })
    t.match(evil, { reply: { evil: '\u009b2J' } })
    t.notMatch(bad.stdout, /[\u0080-\u009f]/)
  },
)

t.test('what was started anew is found again by the next line', async (t) => {
  const { folder, env, control } = await running(t)
  const said: unknown[] = []
  const stdout = { write: (text: string) => said.push(...jsonLines(text)) }
  const lines = async function* () {
    yield 'role:bank,cmd:sum,of:[1]\n'
    await eventually(() => said.length === 1)
    await control.close()
    yield 'role:bank,cmd:sum,of:[2]\n'
    await eventually(() => said.length === 2)
    await running(t, folder)
    yield 'role:bank,cmd:sum,of:[3]\n'
  }
  const { code } = await lucilius(['repl'], { cwd: folder, env, stdin: Readable.from(lines()), stdout })
  t.equal(code, 1)
  t.match(said, [
    { reply: { sum: 1 } },
    { error: { message: /^Nothing of this system runs|^The control socket was closed/ } },
    { reply: { sum: 3 } },
  ])
})

t.test('where nothing runs it says how to start it, and ends with 3', async (t) => {
  const folder = systemFolder(t)
  const env = { LUCILIUS_RUN_DIR: join(folder, 'run') }
  const { code, stdout, stderr } = await lucilius(['repl'], { cwd: folder, env, stdin: Readable.from([]) })
  t.strictSame([code, stdout], [3, ''])
  t.match(stderr, /^lucilius: Nothing of this system runs: start it with 'lucilius dev'[^\n]*\n$/)
})

t.test('a listener for clients answers what it exposes, and refuses to tell what it has', async (t) => {
  const { host } = await running(t)
  const { url } = await host.app.listen(http({ port: 0 }), { expose: ['role:bank,cmd:sum'] })
  const stdin = Readable.from(['role:bank,cmd:sum,of:[1]\nrole:bank,cmd:both\n.list\n.trace on\n'])
  const { code, stdout } = await lucilius(['repl', '--url', url], { stdin, env: {} })
  t.equal(code, 1)
  const [sum, both, list, trace] = jsonLines(stdout)
  t.match(sum, { reply: { sum: 1 }, by: new URL(url).origin })
  t.match(both, { error: { code: 'LUC_ACTION_NOT_FOUND' } })
  t.match(list, { error: { message: /listener is for clients/ } })
  t.match(trace, { error: { message: /leave --url out/ } })
})

t.test(
  'at a terminal: typing, completion, history, Ctrl-C, folding, resize, trace and leaving',
  { skip: noTerminal },
  async (t) => {
    const { folder, env, host, aborted } = await running(t)
    const state = { ...env, XDG_STATE_HOME: folder }
    const open = () => new Terminal(t, [process.execPath, main, 'repl'], { cwd: folder, env: state, rows: 14 })
    const terminal = open()
    await terminal.says(/bank, dev, 1 process\. Type a message[^\n]*\n.*> /s)

    // A key at a time, as a person does it: what is pasted is not completed.
    for (const [typed, echo] of [
      ['ro', /ro/],
      [keys.tab, /le:/],
      [keys.tab, /bank/],
      [',cmd:su', /,cmd:su/],
      [keys.tab, /m/],
      [',of:[1,2]', /\]/],
    ] as const) {
      terminal.type(typed)
      await terminal.says(echo)
    }
    terminal.type(keys.enter)
    await terminal.says(/\{"sum":3\}\r\nall, \d+(\.\d)? ms\r\n.*> /s)

    terminal.type(`.trace on${keys.enter}`)
    await terminal.says(/What passes is shown.*> /s)
    terminal.type('half a li')
    await terminal.says(/half a li/)
    await host.app.act('role:bank,cmd:refuse').catch(() => {})
    await terminal.says(
      /\d\d:\d\d:\d\d\.\d{3} [0-9a-f]{8} all +\d+\.\d ms bank cmd:refuse,role:bank TOO_POOR\r\n.*> half a li/s,
    )
    terminal.type(keys.ctrlC)
    terminal.type(`.trace off${keys.enter}`)
    await terminal.says(/shown no more.*> /s)

    terminal.type(`role:bank,cmd:evil${keys.enter}`)
    await terminal.says(/\{"evil":"\\u009b2J"\}/)
    terminal.type(`role:bank,cmd:refuse${keys.enter}`)
    await terminal.says(/TOO_POOR: No money \{"left":0\}\r\nall, .*> /s)

    terminal.type(`role:bank,cmd:many${keys.enter}`)
    const folded = await terminal.says(/… (\d+) more lines, \.more shows them/)
    t.equal(folded.split('\r\n').filter((line) => /^ +\d+,?$/.test(line)).length, 9)
    await terminal.says(/> /)
    terminal.resize(40, 40)
    await terminal.says(/> /) // it is drawn anew
    terminal.type(`.more${keys.enter}`)
    const more = await terminal.says(/… (\d+) more lines, \.more shows them/)
    t.equal(more.split('\r\n').filter((line) => /^ +\d+,?$/.test(line)).length, 36, 'it knows its new size')

    terminal.type(`role:bank,cmd:slow${keys.enter}`)
    await eventually(() => host.running().length > 0)
    terminal.type(keys.ctrlC)
    await aborted
    await terminal.says(/LUC_CANCELLED: [^\n]*\n.*all, .*> /s)

    terminal.type(`.history off${keys.enter}`)
    await terminal.says(/not kept.*> /s)
    terminal.type(`secret:1${keys.enter}`)
    await terminal.says(/LUC_ACTION_NOT_FOUND.*no process, .*> /s)
    terminal.type(keys.up)
    await terminal.says(/\.history off/) // and not what was typed after it
    terminal.type(keys.ctrlC)
    terminal.type(keys.ctrlC)
    await terminal.says(/Ctrl-C again or Ctrl-D leaves/)
    terminal.type(keys.ctrlC)
    t.equal(await terminal.ended, 0)

    const second = open()
    await second.says(/> /)
    second.type(keys.up)
    await second.says(/\.history off/)
    second.type(`${keys.up}${keys.up}`)
    await second.says(/\.more/)
    second.type(keys.ctrlC)
    second.type(keys.ctrlD)
    t.equal(await second.ended, 0)
    t.notMatch(readFileSync(join(folder, 'lucilius/repl-history'), 'utf8'), /secret/)
  },
)

t.test(
  'what passes meanwhile stands above the line that is typed, which stays as it is',
  { skip: noTerminal },
  async (t) => {
    const { folder, env, host } = await running(t)
    const terminal = new Terminal(t, [process.execPath, main, 'repl'], {
      cwd: folder,
      env: { ...env, XDG_STATE_HOME: folder },
      columns: 40,
    })
    await terminal.says(/> /)
    terminal.type(`.trace on${keys.enter}`)
    await terminal.says(/What passes is shown.*> /s)
    // It takes three rows. First the cursor stands in the last of them, then in the one before.
    const typed = `role:bank,cmd:sum,of:[${Array.from({ length: 30 }, (_, at) => at).join()}]`
    terminal.type(typed)
    await terminal.says(/28,29\]/)
    for (const [count, key] of ['', keys.left.repeat(50)].entries()) {
      terminal.type(key)
      await host.app.act('role:bank,cmd:refuse').catch(() => {})
      await terminal.says(/TOO_POOR\r\n.*28,29\]/s)
      const text = terminal.rows.join('')
      const [, after = ''] = text.split('What passes is shown. .trace off ends it.')
      const told = /\d\d:\d\d:\d\d\.\d{3} [0-9a-f]{8} all +\d+\.\d ms bank *cmd:refuse,role:bank TOO_POOR/g
      t.equal(after.match(told)?.length, count + 1)
      t.equal(after.replaceAll(told, ''), `> ${typed}`, 'once, and nothing of it is left elsewhere')
      await eventually(() => terminal.beforeCursor.endsWith(`> ${typed.slice(0, typed.length - count * 50)}`))
    }
  },
)

t.test('what is half typed when a terminal goes away is not sent', async (t) => {
  const input = new PassThrough()
  const output = Object.assign(new PassThrough(), { columns: 80, rows: 24 })
  const sent: unknown[] = []
  const system = { list: async () => [], act: async (message: unknown) => sent.push(message) }
  const env = { XDG_STATE_HOME: temporary(t) }
  // What a prompt needs of a terminal, of what runs, and of this process.
  const prompt = new Prompt({ input, output } as never, { system: async () => system } as never, { env } as never)
  const ended = prompt.run('bank')
  input.write('a:1\ra:2')
  await eventually(() => sent.length > 0)
  input.end()
  t.equal(await ended, 0)
  t.strictSame(sent, [{ a: 1 }])
  t.strictSame(new History(historyFile(env)).read(), ['a:1'])
})

t.test('of several processes it says which one answered, and shows what passes in all of them', async (t) => {
  const { folder, runDir } = await started(t, ['up'], 3)
  const rate = 'role:convert,cmd:rate'
  const lines = ['.trace on', rate, rate, '.trace off']
  const stdin = Readable.from(lines.map((line) => `${line}\n`))
  const { code, stdout } = await lucilius(['repl'], { cwd: folder, env: { LUCILIUS_RUN_DIR: runDir }, stdin })
  t.equal(code, 0, stdout)
  const said = jsonLines(stdout)
  const replies = said.filter((one) => 'reply' in one)
  t.match(said[0], { trace: 'on', of: ['rates', 'convert.1', 'convert.2'] })
  t.match(said.at(-1), { trace: 'off' })
  t.equal(replies.length, 2)
  t.strictSame([...new Set(replies.map(({ by }) => by))].sort(), ['convert.1', 'convert.2'])
  const batches: PassedBatch[] = said.filter((one) => 'passed' in one)
  const of = (id: RegExp) => batches.filter((one) => id.test(one.process)).flatMap(({ passed }) => passed)
  const asked = of(/^convert/).find(({ pattern }) => pattern.startsWith('cmd:rate'))
  t.match(asked, { pattern: 'cmd:rate,role:convert', hops: 1 })
  t.match(
    of(/^rates/).find(({ trace }) => trace === asked?.trace),
    { pattern: 'cmd:get,role:rates', service: 'rates', hops: 2 },
    'one trace goes through both',
  )
})

/** A folder with a description, of which nothing runs. */
function systemFolder(t: Test): string {
  const folder = temporary(t)
  writeFileSync(join(folder, 'lucilius.config.mjs'), "export default { name: 'bank', services: {} }\n")
  return folder
}

/** A system that runs in this process, with its control socket. */
async function running(t: Test, folder = systemFolder(t)) {
  const env = { LUCILIUS_RUN_DIR: join(folder, 'run') }
  const host: Host = hostApp({ name: 'all', drainMs: 100, parity: 'off' })
  let abort = () => {}
  const aborted = new Promise<void>((resolve) => {
    abort = resolve
  })
  host.app.use(function bank(app: Host['app']) {
    app.add('role:bank,cmd:sum', ({ of }) => ({ sum: (of as number[]).reduce((a, b) => a + b, 0) }))
    app.add('role:bank,cmd:both', (_, { act }) => act('role:bank,cmd:sum', { of: [1] }))
    app.add('role:bank,cmd:many', () => Array.from({ length: 100 }, (_, at) => at))
    app.add('role:bank,cmd:evil', () => ({ evil: '\u009b2J' }))
    app.add('role:bank,cmd:refuse', () => {
      throw new ActionError('TOO_POOR', 'No money', { left: 0 })
    })
    app.add('role:bank,cmd:throw', async () => {
      throw new Error('a mistake')
    })
    app.add(
      'role:bank,cmd:slow',
      (_, { signal }) =>
        new Promise((resolve) => {
          signal.addEventListener('abort', () => {
            abort()
            resolve(undefined)
          })
        }),
    )
    app.on('role:bank,event:robbed', () => {})
  })
  await host.app.ready()
  const control = await openControl(
    { folder, what: 'dev', runDir: env.LUCILIUS_RUN_DIR },
    {
      app: host.app,
      about: () => ({ name: 'bank', deployment: 'dev', processes: [{ id: 'all', pid: process.pid }] }),
      lookOn: lookingOn({ id: 'all', host }),
      processOf: (where) => (where === 'here' ? 'all' : undefined),
    },
  )
  t.teardown(async () => {
    await control.close()
    await host.app.close()
  })
  return { folder, env, host, control, path: control.path, aborted }
}

/** What was printed, a JSON text a line. */
function jsonLines(stdout: string) {
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
}

function temporary(t: Test): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'lucilius-repl-')))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}
