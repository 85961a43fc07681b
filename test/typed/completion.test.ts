import { join } from 'node:path'
import t from 'tap'
import ts from 'typescript'
import { repoRoot } from '../support/repo-root.js'

const file = join(repoRoot(), 'test/types/use/completion.generated.ts')
const documents = ts.createDocumentRegistry()
const actions = ['role:convert,cmd:rate', 'role:convert,cmd:list']

t.test('an editor completes the registered patterns, then the message', async (t) => {
  t.strictSame(
    completions(`app.act('^')`).sort(),
    [...actions].sort(),
    'a pattern alone, whether or not it needs a message',
  )
  t.strictSame(completions(`app.act('^', {})`), actions)
  t.strictSame(completions(`app.add('^', () => 1)`), actions)
  t.strictSame(completions(`app.wrap('^', (next) => next)`), actions)
  t.strictSame(completions(`app.on('^', () => {})`), ['role:rates,event:changed'])
  t.strictSame(completions(`app.emit('^')`), ['role:rates,event:changed'])
  t.strictSame(completions(`app.act('cmd:rate,role:convert', { from: '^' })`), ['usd', 'eur'])
})

/** What the language service offers at the mark. */
function completions(call: string): string[] {
  const source = [
    `import type { Typed } from '../../../lib/typed/typed.js'`,
    'interface Api {',
    `  'role:convert,cmd:rate'(message: { from: 'usd' | 'eur' }): { rate: number }`,
    `  'role:convert,cmd:list'(): string[]`,
    '}',
    `interface Happenings { 'role:rates,event:changed'(message: { pair: string }): void }`,
    'declare const app: Typed<Api, Happenings>',
    call,
  ].join('\n')
  const text = source.replace('^', '')
  const service = ts.createLanguageService(
    {
      fileExists: ts.sys.fileExists,
      readFile: ts.sys.readFile,
      directoryExists: ts.sys.directoryExists,
      getScriptFileNames: () => [file],
      getScriptVersion: () => '1',
      getScriptSnapshot: (name) => {
        const content = name === file ? text : ts.sys.readFile(name)
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
    },
    documents,
  )
  const found = service.getCompletionsAtPosition(file, source.indexOf('^'), {})?.entries ?? []
  service.dispose()
  return found.map(({ name }) => name).filter((name) => name !== '')
}
