import { join } from 'node:path'
import t from 'tap'
import ts from 'typescript'
import { repoRoot } from '../support/repo-root.js'

const rate = 'role:convert,cmd:rate'
const list = 'role:convert,cmd:list'
const changed = 'role:rates,event:changed'

/** A call with `^` where the cursor is, and what an editor is to offer there. */
const offers: readonly (readonly [call: string, offered: readonly string[]])[] = [
  [`app.act('^')`, [list, rate]],
  [`app.act('^', {})`, [list, rate]],
  [`app.add('^', () => 1)`, [list, rate]],
  [`app.wrap('^', (next) => next)`, [list, rate]],
  [`app.on('^', () => {})`, [changed]],
  [`app.emit('^')`, [changed]],
  [`app.act('cmd:rate,role:convert', { from: '^' })`, ['eur', 'usd']],
]

t.test('an editor completes the registered patterns, then the message', async (t) => {
  const source = [
    `import type { Typed } from '../../../lib/typed/typed.js'`,
    'interface Api {',
    `  '${rate}'(message: { from: 'usd' | 'eur' }): { rate: number }`,
    `  '${list}'(): string[]`,
    '}',
    `interface Happenings { '${changed}'(message: { pair: string }): void }`,
    'declare const app: Typed<Api, Happenings>',
    ...offers.map(([call]) => call.replace('^', '')),
  ].join('\n')
  const file = join(repoRoot(), 'test/types/use/completion.generated.ts')
  const service = languageService(file, source)
  for (const [call, offered] of offers) {
    const position = source.lastIndexOf(call.replace('^', '')) + call.indexOf('^')
    const found = service.getCompletionsAtPosition(file, position, {})?.entries ?? []
    t.strictSame(
      found
        .map(({ name }) => name)
        .filter((name) => name !== '')
        .sort(),
      offered,
      call,
    )
  }
  service.dispose()
})

function languageService(file: string, source: string): ts.LanguageService {
  return ts.createLanguageService({
    fileExists: ts.sys.fileExists,
    readFile: ts.sys.readFile,
    directoryExists: ts.sys.directoryExists,
    getScriptFileNames: () => [file],
    getScriptVersion: () => '1',
    getScriptSnapshot: (name) => {
      const content = name === file ? source : ts.sys.readFile(name)
      return content === undefined ? undefined : ts.ScriptSnapshot.fromString(content)
    },
    getCurrentDirectory: repoRoot,
    getCompilationSettings: () => ({
      strict: true,
      module: ts.ModuleKind.NodeNext,
      target: ts.ScriptTarget.ES2022,
      types: [],
    }),
    getDefaultLibFileName: ts.getDefaultLibFilePath,
  })
}
