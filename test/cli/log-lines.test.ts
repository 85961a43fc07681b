import t from 'tap'
import { logLines } from '../../lib/cli/print/log-lines.js'

const ESC = '\u001b'

t.test('a JSON log line is printed as people read it, with its process in front', async (t) => {
  const printed = printing(['rates', 'convert.1'])
  const time = new Date(2026, 0, 2, 3, 4, 5, 67).getTime()
  printed.print(
    'rates',
    JSON.stringify({ level: 30, time, name: 'rates', peer: 'a', note: 'b c', n: 1, msg: 'connected' }),
  )
  printed.print('convert.1', JSON.stringify({ level: 40, time, name: 'other', process: 'convert.1', msg: 'slow' }))
  printed.print('rates', JSON.stringify({ level: 35, time, pid: 1, hostname: 'x', err: { message: 'no' } }))
  t.strictSame(printed.lines(), [
    'rates     | 03:04:05.067 info  connected peer=a note="b c" n=1',
    'convert.1 | 03:04:05.067 warn  slow name=other',
    'rates     | 03:04:05.067 35    err=no',
  ])
})

t.test('the stack of what failed stands below it', async (t) => {
  const printed = printing(['rates'])
  const err = { message: 'no rates', stack: 'Error: no rates\n    at rates.ts:1:2\n    at node:3' }
  printed.print('rates', JSON.stringify({ level: 50, time: 0, msg: 'failed', err }))
  const [first, ...more] = printed.lines()
  t.match(first, /error failed err="no rates"$/)
  t.strictSame(more, ['rates |   at rates.ts:1:2', 'rates |   at node:3'])
})

t.test('any other line is printed as it is, and none can move the cursor', async (t) => {
  const printed = printing(['rates'])
  for (const line of ['plain\ttext', '{"level":30}', '{not json', '[1]', '{"level":30,"time":1e300,"msg":"x"}', '']) {
    printed.print('rates', line)
  }
  printed.print('rates', `${ESC}[2Jgone`)
  printed.print('rates', JSON.stringify({ level: 30, time: 0, msg: `${ESC}[2J`, [`${ESC}k`]: `${ESC}v` }))
  printed.say('up', `${ESC}]0;title`)
  t.strictSame(printed.lines().slice(0, 6), [
    'rates | plain  text',
    'rates | {"level":30}',
    'rates | {not json',
    'rates | [1]',
    'rates | {"level":30,"time":1e300,"msg":"x"}',
    'rates | ',
  ])
  t.notOk(printed.lines().some((line) => line.includes(ESC)))
})

t.test('every process has a colour of its own where colours are wanted', async (t) => {
  const printed = printing(['rates', 'convert'], true)
  printed.print('rates', 'one')
  printed.print('convert', 'two')
  const [one = '', two = ''] = printed.lines()
  t.ok(one.startsWith(ESC) && two.startsWith(ESC))
  t.not(one.slice(0, 5), two.slice(0, 5))
})

function printing(ids: readonly string[], color = false) {
  let all = ''
  const stdout = {
    write: (text: string) => {
      all += text
    },
  }
  const { print, say } = logLines(ids, { stdout, color })
  return { print, say, lines: () => all.split('\n').slice(0, -1) }
}
