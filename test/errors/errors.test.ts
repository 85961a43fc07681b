import { inspect } from 'node:util'
import t from 'tap'
import { ActionError, errorTable, isLuciliusCode, type LuciliusCode, LuciliusError } from '../../lib/errors.js'

t.test('an error says what the table says about its code', (t) => {
  for (const [code, row] of Object.entries(errorTable)) {
    const error = new LuciliusError(code as LuciliusCode, 'It did not work.')
    t.strictSame([error.code, error.handled, error.retryable], [code, row.handled, row.retryable])
    t.equal(error.message, 'It did not work.')
    t.match(row.summary, /^[A-Z].+\.$/)
  }
  t.end()
})

t.test('the thrower may know better whether the work was done', (t) => {
  t.equal(new LuciliusError('LUC_DEADLINE_EXCEEDED', 'Late.').handled, 'unknown')
  t.equal(new LuciliusError('LUC_DEADLINE_EXCEEDED', 'Late.', { handled: 'no' }).handled, 'no')
  t.end()
})

t.test('a code of a newer version is never taken for safe to repeat', (t) => {
  const error = new LuciliusError('LUC_FROM_THE_FUTURE' as LuciliusCode, 'New.')
  t.strictSame([error.handled, error.retryable], ['unknown', false])
  t.equal(isLuciliusCode('LUC_FROM_THE_FUTURE'), false)
  t.equal(isLuciliusCode('toString'), false)
  t.equal(isLuciliusCode('LUC_OVERLOADED'), true)
  t.end()
})

t.test('the table cannot be changed by whoever imports it', (t) => {
  t.throws(() => Object.assign(errorTable, { LUC_MINE: {} }), TypeError)
  t.throws(() => Object.assign(errorTable.LUC_REPLY_LOST, { handled: 'no' }), TypeError)
  t.end()
})

t.test('an error keeps its cause and its details, and has neither key without them', (t) => {
  const cause = new Error('why')
  const full = new LuciliusError('LUC_PLUGIN_FAILED', 'No.', { cause, details: { plugin: 'cache' } })
  t.equal(full.cause, cause)
  t.same(full.details, { plugin: 'cache' })
  const bare = new LuciliusError('LUC_PLUGIN_FAILED', 'No.')
  t.same(Object.keys(bare), ['code', 'handled', 'retryable'])
  t.notOk('cause' in bare)
  t.same(Object.keys(new ActionError('A', 'b')), ['code'])
  t.end()
})

t.test('an error prints with its name, message, code, whether it was handled, and its cause', (t) => {
  const cause = new TypeError('the reason')
  const text = inspect(new LuciliusError('LUC_ACTION_FAILED', 'It threw.', { cause, details: { field: 'a.b' } }))
  t.match(text, /^LuciliusError: It threw\.\n/)
  t.match(text, /code: 'LUC_ACTION_FAILED'/)
  t.match(text, /handled: 'yes'/)
  t.match(text, /field: 'a\.b'/)
  t.match(text, /\[cause\]: TypeError: the reason/)
  const refusal = inspect(new ActionError('RATE_UNKNOWN', 'No rate.', { to: 'xyz' }))
  t.match(refusal, /^ActionError: No rate\.\n/)
  t.match(refusal, /code: 'RATE_UNKNOWN'/)
  t.match(refusal, /to: 'xyz'/)
  t.end()
})

t.test('an ActionError carries its code, message and details', (t) => {
  const error = new ActionError('RATE_UNKNOWN', 'No rate from XYZ to EUR', { from: 'xyz', to: 'eur' })
  t.match(error, { code: 'RATE_UNKNOWN', message: 'No rate from XYZ to EUR', details: { from: 'xyz', to: 'eur' } })
  t.ok(error instanceof Error)
  t.end()
})

t.test("an ActionError cannot pass for the framework's", (t) => {
  const refused = { code: 'LUC_OPTIONS_INVALID', message: /'LUC_MINE'.*choose another/ }
  t.throws(() => new ActionError('LUC_MINE', 'x'), refused)
  t.throws(() => new ActionError('', 'x'), { code: 'LUC_OPTIONS_INVALID', message: /needs a code/ })
  t.throws(() => new ActionError(7 as unknown as string, 'x'), { code: 'LUC_OPTIONS_INVALID' })
  t.end()
})

t.test('instanceof recognises the errors of another copy of the package', async (t) => {
  // A query makes Node load the file once more: another copy, with classes of its own.
  const address = '../../lib/errors.js?copy'
  const copy = (await import(address)) as typeof import('../../lib/errors.js')
  t.not(copy.LuciliusError, LuciliusError)
  const theirs = new copy.LuciliusError('LUC_OVERLOADED', 'Full.')
  const theirRefusal = new copy.ActionError('FULL', 'Full.')
  t.ok(theirs instanceof LuciliusError)
  t.ok(theirRefusal instanceof ActionError)
  t.notOk(theirs instanceof ActionError)
  t.notOk(theirRefusal instanceof LuciliusError)
})

t.test('instanceof does not lie for subclasses, other errors and other values', (t) => {
  class Mine extends LuciliusError {}
  class MyRefusal extends ActionError {}
  t.notOk(new LuciliusError('LUC_OVERLOADED', 'x') instanceof Mine)
  t.ok(new Mine('LUC_OVERLOADED', 'x') instanceof Mine)
  t.ok(new Mine('LUC_OVERLOADED', 'x') instanceof LuciliusError)
  t.notOk(new ActionError('A', 'x') instanceof MyRefusal)
  t.ok(new MyRefusal('A', 'x') instanceof ActionError)
  for (const other of [new Error('x'), { code: 'LUC_OVERLOADED' }, 'LUC_OVERLOADED', null, undefined]) {
    t.notOk((other as unknown) instanceof LuciliusError)
    t.notOk((other as unknown) instanceof ActionError)
  }
  t.end()
})
