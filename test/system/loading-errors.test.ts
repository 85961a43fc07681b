import { pathToFileURL } from 'node:url'
import t from 'tap'
import { LuciliusError } from '../../lib/errors.js'
import { codeFrame } from '../../lib/system/loading/code-frame.js'
import { describeLoadError } from '../../lib/system/loading/describe-load-error.js'
import { loadPlugin } from '../../lib/system/loading/load-plugin.js'
import { loadSystem } from '../../lib/system/loading/load-system.js'
import { projectOf } from './loading-project.js'

/** How the failed load of a service is told. */
async function told(t: Parameters<typeof projectOf>[0], files: { readonly [path: string]: string }, file: string) {
  const { folder } = projectOf(t, files)
  const error = await loadPlugin('rates', file, folder).then(
    () => new Error('It did not fail.'),
    (thrown: unknown) => thrown,
  )
  return describeLoadError(error, folder)
}

t.test('a code frame shows two lines around the place, with a caret under it', (t) => {
  const source = ['one', 'two', '\tthree = 3', 'four', 'five', 'six'].join('\r\n')
  t.equal(
    codeFrame(source, 3, 2),
    ['  1 | one', '  2 | two', '> 3 | \tthree = 3', '    | \t^', '  4 | four', '  5 | five'].join('\n'),
  )
  t.equal(codeFrame(source, 1, 4), ['> 1 | one', '    |    ^', '  2 | two', '  3 | \tthree = 3'].join('\n'))
  t.equal(
    codeFrame(source, 6, 9),
    ['  4 | four', '  5 | five', '> 6 | six', '    |         ^'].join('\n'),
    'beyond the end',
  )
  t.match(codeFrame('x\n'.repeat(12), 9, 1), /^ {3}7 [|] x\n {3}8 [|] x\n> {2}9 [|] x\n {5}[|] \^\n {2}10 [|] x/)
  t.equal(codeFrame(source, 7, 1), undefined)
  t.equal(codeFrame('x'.repeat(1000), 1, 900)?.length, '> 1 | '.length + 160, 'a long line is cut')
  t.end()
})

t.test('a mistake in the syntax of TypeScript is shown in its file', async (t) => {
  const files = {
    'rates.ts': "import './other.js'",
    'other.ts': 'const a: number = 1\n\nconst x: number = = 3\n// end\n',
  }
  const { message, frame, place } = await told(t, files, './rates.ts')
  t.equal(message, "'rates' (rates.ts) cannot be loaded: SyntaxError: Expression expected (other.ts:3:19)")
  t.equal(
    frame,
    [
      '  1 | const a: number = 1',
      '  2 |',
      '> 3 | const x: number = = 3',
      '    |                   ^',
      '  4 | // end',
      '  5 |',
    ].join('\n'),
  )
  t.match(place, { line: 3, column: 19 })
})

t.test('a mistake in the syntax of JavaScript is shown in its file, though V8 does not name it', async (t) => {
  const files = { 'rates.js': "import './other.js'", 'other.js': 'const a = 1\nconst = 3\n' }
  const { message, frame } = await told(t, files, './rates.js')
  t.match(message, /^'rates' \(rates[.]js\) cannot be loaded: SyntaxError: Unexpected token '=' \(other[.]js:2:7\)$/)
  t.match(frame, /\n> 2 [|] const = 3\n {4}[|] {7}\^/)
})

t.test('an error at the top of a module is shown where it was thrown', async (t) => {
  const files = {
    'rates.ts': "import { helper } from './helper.js'\nhelper()",
    'helper.ts':
      'type A = string\nexport enum Kind { a }\nexport const helper = (a?: A) => {\n  JSON.parse(a ?? "{")\n}',
  }
  const { message, frame } = await told(t, files, './rates.ts')
  t.match(message, /SyntaxError: Expected property name.* \(helper[.]ts:4:\d+\)$/)
  t.match(frame, '\n> 4 |   JSON.parse(a ?? "{")\n')
})

t.test('an import that is not there is shown in the file that imports it', async (t) => {
  const files = {
    'rates.ts': "import './other.js'",
    'other.ts': 'const a: number = 1\nimport { b } from "./gone.js"\nb(a)',
  }
  const { message, frame } = await told(t, files, './rates.ts')
  t.match(message, /Cannot find module .*gone[.]js.* imported from .*other[.]ts.*[(]other[.]ts:2:19[)]$/)
  t.match(frame, '\n> 2 | import { b } from "./gone.js"\n    |                   ^\n')
})

t.test('a name that is not exported is shown where it is imported, with what to do if it is a type', async (t) => {
  const files = {
    'rates.ts': "\nimport { Shape } from './shape.js'\nexport default (_: Shape) => {}",
    'shape.ts': 'export interface Shape {}',
  }
  const { message, frame } = await told(t, files, './rates.ts')
  t.match(
    message,
    /does not provide an export named 'Shape'.* If it is a type, write import type[.] [(]rates[.]ts:2:10[)]$/,
  )
  t.match(frame, "\n> 2 | import { Shape } from './shape.js'\n    |          ^\n")
})

t.test('the configuration is shown where it throws, and where defineSystem refuses it', async (t) => {
  const system = new URL('../../lib/system/define-system.js', import.meta.url).href
  const throws = projectOf(t, { 'lucilius.config.ts': 'const a: string = "x"\nthrow new RangeError(a)' })
  const refused = projectOf(t, {
    'lucilius.config.ts': `import { defineSystem } from '${system}'\n\nexport default defineSystem({ services: { a: 1 as never } })`,
  })
  const failure = ({ folder }: { folder: string }) =>
    loadSystem({ cwd: folder }).catch((error: unknown) => describeLoadError(error, folder))
  t.match(await failure(throws), {
    message: 'lucilius.config.ts: RangeError: x (lucilius.config.ts:2:7)',
    frame: /> 2 [|] throw new RangeError/,
  })
  const { message, place } = (await failure(refused)) as { message: string; place: object }
  t.match(message, /^lucilius[.]config[.]ts: services[.]a: .*[(]lucilius[.]config[.]ts:3:16[)]$/)
  t.match(place, { line: 3 })
})

t.test('an error in a set-up is shown where it was thrown, not where it was wrapped', async (t) => {
  const { folder, path } = projectOf(t, {
    'rates.ts': "export const rates = (): void => {\n  throw new TypeError('no')\n}",
  })
  const { rates } = await import(pathToFileURL(path('rates.ts')).href)
  const inner = await (async () => rates())().catch((error: unknown) => error)
  const outer = new LuciliusError('LUC_PLUGIN_FAILED', "Plugin 'rates': its set-up failed: no", { cause: inner })
  t.match(describeLoadError(outer, folder), {
    message: "Plugin 'rates': its set-up failed: no (rates.ts:2:9)",
    place: { file: path('rates.ts'), line: 2, column: 9 },
  })
})

t.test('whatever is thrown can be told', (t) => {
  t.strictSame(describeLoadError(undefined), { message: 'undefined was thrown: undefined' })
  t.strictSame(describeLoadError('text'), { message: 'string was thrown: text' })
  const bare = new Error('bare\nmore')
  bare.stack = 'Error: bare\n    at node:internal/x:1:2\n    at run (file:///x/node_modules/y/z.js:1:2)'
  t.strictSame(describeLoadError(bare), { message: 'bare' })
  const circle = new Error('circle')
  circle.stack = ''
  circle.cause = circle
  t.strictSame(describeLoadError(circle), { message: 'circle' })
  t.end()
})
