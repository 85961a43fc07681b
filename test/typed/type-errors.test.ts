import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import t from 'tap'
import ts from 'typescript'
import { repoRoot } from '../support/repo-root.js'

const folder = join(repoRoot(), 'test/types')
const { options } = ts.getParsedCommandLineOfConfigFile(
  join(folder, 'tsconfig.json'),
  {},
  {
    ...ts.sys,
    onUnRecoverableConfigFileDiagnostic: ({ messageText }) => {
      throw new Error(ts.flattenDiagnosticMessageText(messageText, '\n'))
    },
  },
) as ts.ParsedCommandLine

const use = files('use')
const bad = files('bad')
const program = ts.createProgram([...use, ...bad], options)

t.test('what fits the registry type-checks', async (t) => {
  t.ok(use.length > 0)
  for (const file of use) t.strictSame(errors(file), [], basename(file))
})

t.test('what does not fit is refused where it stands, in plain words', async (t) => {
  t.ok(bad.length > 0)
  for (const file of bad) {
    const found = errors(file)
    t.strictSame(found.map(lineOf), wrongLines(file), `${basename(file)}: every wrong line, and no other`)
    t.strictSame(found, readFileSync(file.replace(/\.ts$/, '.txt'), 'utf8').trim().split('\n'), basename(file))
    t.notMatch(found.join('\n'), 'No overload matches this call')
  }
})

function files(kind: 'use' | 'bad'): string[] {
  return readdirSync(join(folder, kind))
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(folder, kind, name))
}

/** `12: TS2345: …`, the first line of each error of a file; the order of a union is the compiler's whim, so it is sorted. */
function errors(path: string): string[] {
  const file = program.getSourceFile(path)
  if (file === undefined) throw new Error(`${path} is not in the program`)
  return [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)].map((error) => {
    const { line } = file.getLineAndCharacterOfPosition(error.start ?? 0)
    const [message = ''] = ts.flattenDiagnosticMessageText(error.messageText, '\n').split('\n')
    return `${line + 1}: TS${error.code}: ${message.replace(/"[^"]*"(?: \| "[^"]*")+/g, sortUnion)}`
  })
}

function sortUnion(union: string): string {
  return union.split(' | ').sort().join(' | ')
}

function lineOf(error: string): number {
  return Number.parseInt(error, 10)
}

/** The numbers of the lines that say `// wrong: …`. */
function wrongLines(path: string): number[] {
  const lines = readFileSync(path, 'utf8').split('\n')
  return lines.flatMap((line, index) => (line.includes('// wrong: ') ? [index + 1] : []))
}
