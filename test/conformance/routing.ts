import type { Test } from 'tap'
import { type App, jsonLogger } from '../../lib/index.js'
import { eventually } from '../core/eventually.js'
import { failureOf } from '../core/failure.js'
import { join, made, play, type Stage } from './scene.js'

/** The most specific action answers, wherever it lives. */
export function routing(t: Test, stage: Stage): void {
  t.test('a message with extra properties reaches the action that ignores them', async (t) => {
    const { caller, service, join } = play(t, stage)
    service.add('a:1', () => 'a')
    await join()
    t.equal(await caller.act('a:1', { extra: { nested: true }, role: 'other', list: [] }), 'a')
  })

  t.test('1 and the text 1 match alike, null and objects never', async (t) => {
    const { caller, service, join } = play(t, stage)
    service.add('a:1', () => 'one')
    service.add('b:true', () => 'true')
    await join()
    t.equal(await caller.act({ a: 1 }), 'one')
    t.equal(await caller.act({ a: '1' }), 'one')
    t.equal(await caller.act({ b: true }), 'true')
    t.equal(await caller.act({ b: 'true' }), 'true')
    for (const a of [null, [1], ['1'], { a: 1 }]) {
      t.match(await failureOf(caller.act({ a })), { code: 'LUC_ACTION_NOT_FOUND', handled: /^no$/ }, JSON.stringify(a))
    }
  })

  t.test('the most specific of several apps answers', async (t) => {
    const { caller, service, other, join } = play(t, stage)
    caller.add('a:1', () => 'wide, at the caller')
    service.add('a:1,b:2', () => 'narrow, at the service')
    other.add('a:1,b:2,c:3', () => 'narrowest, at the other')
    other.add('a:*', () => 'glob')
    await join()
    t.equal(await caller.act('a:1'), 'wide, at the caller')
    t.equal(await caller.act('a:1,b:2'), 'narrow, at the service')
    t.equal(await caller.act('a:1,b:2,c:3'), 'narrowest, at the other')
    t.equal(await caller.act('a:1', { c: 3, b: 2 }), 'narrowest, at the other', 'the data selects, too')
    t.equal(await caller.act('a:7,b:2'), 'glob')
  })

  t.test('each rule of specificity decides across apps as it does in one', async (t) => {
    const { caller, service, other, join } = play(t, stage)
    service.add('a:1,b:2', () => 'more keys')
    other.add('z:1', () => 'fewer keys')
    service.add('c:1,d:*', () => 'less exact')
    other.add('c:1,d:2', () => 'more exact')
    service.add('f:1,h:1', () => 'later keys')
    other.add('f:1,g:1', () => 'earlier keys')
    service.add('i:a*', () => 'fewer letters')
    other.add('i:ab*', () => 'more letters')
    service.add('j:*b', () => 'first text')
    other.add('j:a*', () => 'second text')
    await join()
    t.equal(await caller.act('a:1,b:2,z:1'), 'more keys')
    t.equal(await caller.act('c:1,d:2'), 'more exact')
    t.equal(await caller.act('f:1,g:1,h:1'), 'earlier keys')
    t.equal(await caller.act('i:abc'), 'more letters')
    t.equal(await caller.act('j:ab'), 'first text')
  })

  t.test('an action added later is used by the next act', async (t) => {
    const { caller, service, join } = play(t, stage)
    service.add('a:1', () => 'wide')
    await join()
    t.equal(await caller.act('a:1', { b: 2 }), 'wide')
    service.add('a:1,b:2', () => 'narrow')
    await eventually(() => caller.find('a:1,b:2')?.pattern === 'a:1,b:2')
    t.equal(await caller.act('a:1', { b: 2 }), 'narrow')
    t.equal(await caller.act('a:1', { b: 3 }), 'wide')
  })

  t.test('an action that is taken out is not used any more', async (t) => {
    const { caller, service, join } = play(t, stage)
    service.add('a:1', () => 'wide')
    const narrow = service.add('a:1,b:2', () => 'narrow')
    await join()
    t.equal(await caller.act('a:1,b:2'), 'narrow')
    narrow.remove()
    await eventually(() => caller.find('a:1,b:2')?.pattern === 'a:1')
    t.equal(await caller.act('a:1,b:2'), 'wide')
  })

  t.test('a change that the caller has not heard of yet is dealt with inside', async (t) => {
    const { caller, service, join } = play(t, stage)
    service.add('a:1', () => 'wide')
    await join()
    t.equal(await caller.act('a:1,b:2'), 'wide')
    const narrow = service.add('a:1,b:2', () => 'narrow')
    t.equal(await caller.act('a:1,b:2'), 'narrow', 'sent in the same turn')
    narrow.remove()
    t.equal(await caller.act('a:1,b:2'), 'wide', 'and back')
  })

  t.test('with exact, data cannot select another action', async (t) => {
    const { caller, service, join } = play(t, stage)
    service.add('a:1', ({ admin }) => ['a', admin])
    service.add('a:1,admin:true', () => 'admin')
    await join()
    t.equal(await caller.act('a:1', { admin: true }), 'admin')
    t.strictSame(await caller.act('a:1', { admin: true }, { exact: true }), ['a', true])
    t.strictSame(await caller.act({ a: 1 }, { admin: true }, { exact: true }), ['a', true])
  })

  t.test('data never contradicts the pattern', async (t) => {
    const { caller, service, join } = play(t, stage)
    service.add('a:1', (message) => message)
    service.add('a:2', () => 'another')
    await join()
    t.strictSame(await caller.act('a:1,b:x', { a: 2, b: 'y', c: 'z' }), { a: 1, b: 'x', c: 'z' })
  })

  t.test('a text is a message, nested values included', async (t) => {
    const { caller, service, join } = play(t, stage)
    service.add('role:shop,cmd:order', (message) => message)
    await join()
    t.strictSame(await caller.act('role:shop, cmd:order, items:[{sku:a1,qty:2}], code:01, ok:true, none:null'), {
      role: 'shop',
      cmd: 'order',
      items: [{ sku: 'a1', qty: 2 }],
      code: '01',
      ok: true,
      none: null,
    })
  })

  t.test('a message that nobody answers fails with LUC_ACTION_NOT_FOUND, not handled', async (t) => {
    const { caller, service, join } = play(t, stage)
    service.add('role:shop,cmd:order', () => 1)
    await join()
    const error = await failureOf(caller.act('role:shop,cmd:ordr'))
    t.match(error, { code: 'LUC_ACTION_NOT_FOUND', handled: /^no$/, retryable: false })
    t.match(error.message, /cmd:order,role:shop/, 'the nearest pattern is named')
  })

  t.test('the catch-all answers what nothing else does in its own app', async (t) => {
    const { caller, service, join } = play(t, stage)
    caller.add('', (message) => Object.keys(message))
    service.add('a:1', () => 'a')
    await join()
    t.strictSame(await caller.act({ x: 1 }), ['x'])
    t.strictSame(await caller.act({}), [])
    t.equal(await caller.act('a:1'), 'a')
  })

  t.test('find, list and explain show where an action runs', async (t) => {
    const { caller, service, other, join } = play(t, stage)
    caller.add('a:1', () => 1)
    service.add('a:1,b:2', () => 2)
    other.add('c:*', () => 3)
    await join()
    const where = (name: string) => (stage.means === undefined ? undefined : name)
    t.match(caller.find({ a: 1, b: 2, x: 1 }), { pattern: 'a:1,b:2', remote: where('service') })
    t.equal(caller.find('z:1'), undefined)
    t.strictSame(
      caller.list().map(({ pattern, remote }) => [pattern, remote]),
      [
        ['a:1,b:2', where('service')],
        ['a:1', undefined],
        ['c:*', where('other')],
      ],
    )
    t.strictSame(
      caller.list('a:1').map(({ pattern }) => pattern),
      ['a:1,b:2', 'a:1'],
    )
    const told = caller.explain('a:1,b:2')
    t.match(told.winner, { pattern: 'a:1,b:2', remote: where('service') })
    t.equal(told.candidates.length, 2)
    t.match(told.candidates[1]?.reason, /\w/)
    t.doesNotThrow(() => structuredClone(told), 'it is plain data')
  })

  const { means } = stage
  if (means === undefined) return

  t.test('a route that changed meanwhile is learned anew, whoever stands in front now', async (t) => {
    const { caller, service, other, join, line } = play(t, stage)
    service.add('a:1', () => 'wide')
    const narrow = service.add('a:1,b:2', () => 'narrow')
    other.add('a:1,b:*', () => 'at the other')
    await join()
    line().hold()
    narrow.remove()
    service.add('a:1,b:2,c:3', () => 'narrowest')
    const gone = caller.act('a:1,b:2')
    const came = caller.act('a:1,b:2,c:3')
    const soon = setTimeout(() => line().release(), 40)
    t.equal(await gone, 'at the other', 'no more there: the next one, in another app')
    t.equal(await came, 'narrowest')
    clearTimeout(soon)
  })

  t.test('a route that stays wrong fails as not handled', async (t) => {
    const { caller, service, join, line } = play(t, stage)
    let ran = 0
    const first = service.add('a:1', () => ++ran)
    await join()
    line().hold()
    service.add('a:1,b:2', () => ++ran)
    const error = await failureOf(caller.act('a:1,b:2', {}, { timeoutMs: 2000 }))
    t.match(error, { code: 'LUC_ROUTE_CHANGED', handled: /^no$/, retryable: true })
    first.remove()
    t.match(await failureOf(caller.act('a:1')), { handled: /^no$/ }, 'nor when it is gone')
    t.equal(ran, 0)
    line().release()
  })

  t.test('one pattern of two services: a local one first, then the one whose name sorts first', async (t) => {
    const lines: string[] = []
    const logger = jsonLogger({ level: 'warn', write: (line) => void lines.push(line) })
    const caller = made(t, { name: 'm', parity: stage.parity, logger, forgetMs: 50 })
    const [a, z] = ['a', 'z'].map((name) => made(t, { name, parity: stage.parity })) as [App, App]
    for (const app of [z, a]) {
      app.add('x:1', () => app.name)
      await join(means, caller, app)
    }
    t.equal(await caller.act('x:1'), 'a')
    t.ok(lines.length === 1 && /'a'/.test(lines[0] ?? '') && /'z'/.test(lines[0] ?? ''), 'the clash is logged')
    const told = caller.explain('x:1')
    t.strictSame(
      told.candidates.map(({ service }) => service),
      ['a', 'z'],
    )
    t.match(told.candidates[1]?.reason, /sorts first/)
    const own = caller.add('x:1', async (_, { prior }) => ['m', (await prior()) ?? 'end'])
    t.strictSame(await caller.act('x:1'), ['m', 'end'])
    own.remove()
    await a.close()
    await eventually(() => caller.find('x:1')?.service === 'z')
    t.equal(await caller.act('x:1'), 'z')
  })
}
