import { join } from 'node:path'
import t from 'tap'
import ts from 'typescript'
import { toPattern } from '../../lib/pattern.js'
import { readCases, repoRoot } from '../support/repo-root.js'

const cases = readCases<{
  readonly accepted: readonly { readonly text: string }[]
  readonly refused: readonly string[]
}>('patterns.json')

/** More spellings that both sides read. */
const spellings = [
  'a:1\n,b:2',
  'a:1\r\nb:2\r\n',
  '\ta\t:\tb\t',
  '"a" : "b"',
  `{ 'role': convert, cmd: "rate", }`,
  '{a:1,\n b:2,\n}',
  'a:-0,b:.5,c:+1,d:1e+21',
]

/** The parser reads them, the types leave them to it. */
const late = ['"a\\u0062":1', "a:it's"]

/** More texts that both sides refuse. */
const refusals = ['a\n:1', 'a:\n1', ',a:1', 'a:1,,b:2', 'a b', 'a:x y', '"a":"b"c', '{}', 'a:1,b', 'a:1,b:']

/** The parser refuses them by rules that the types do not know: they look like patterns, or like what only it can read. */
const refusedLate = new Set([
  'a:[1,2]',
  'a:{b:1}',
  'a:1,a:2',
  '__proto__:x',
  'a:__proto__',
  'a:constructor',
  'prototype:1',
  'a:toString',
  'hasOwnProperty:1',
  'a:"x\u0007y"',
  '"a\nb":1',
])

t.test('what the parser accepts, the types read alike, or leave to the parser', async (t) => {
  const accepted = [...cases.accepted.map(({ text }) => text), ...spellings]
  const read = pairsByTheTypes([...accepted, ...late])
  for (const text of accepted) t.strictSame(read.get(text), pairsByTheParser(text), JSON.stringify(text))
  for (const text of late) {
    t.doesNotThrow(() => toPattern(text), JSON.stringify(text))
    t.strictSame(read.get(text), ['known only at run time'], JSON.stringify(text))
  }
})

t.test('what the parser refuses, the types see as no pattern, or leave to the parser', async (t) => {
  const refused = [...cases.refused, ...refusals]
  const read = pairsByTheTypes(refused)
  for (const text of refused) {
    t.throws(() => toPattern(text), { code: 'LUC_PATTERN_INVALID' }, JSON.stringify(text))
    t.equal(read.get(text)?.[0] === 'not a pattern', !refusedLate.has(text), JSON.stringify([text, read.get(text)]))
  }
})

t.test('the empty text is the catch-all, which asks for no pair', async (t) => {
  t.strictSame(pairsByTheTypes(['']).get(''), [])
  t.strictSame(pairsByTheParser(''), [])
})

function pairsByTheParser(text: string): string[] {
  return Object.entries(toPattern(text).pairs).map(([key, value]) => `${key}:${value}`)
}

/** The members of `PairsOf` of each text, as the compiler works them out. */
function pairsByTheTypes(texts: readonly string[]): Map<string, string[]> {
  const file = join(repoRoot(), 'test/types/generated.ts')
  const source = [
    `import type { PairsOf } from '../../lib/typed/pairs.js'`,
    ...texts.map((text, index) => `export type Pairs${index} = PairsOf<${JSON.stringify(text)}>`),
  ].join('\n')
  const options: ts.CompilerOptions = {
    strict: true,
    noEmit: true,
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.NodeNext,
    types: [],
  }
  const host = ts.createCompilerHost(options)
  const program = ts.createProgram([file], options, {
    ...host,
    getSourceFile: (name, ...rest) =>
      name === file ? ts.createSourceFile(file, source, ts.ScriptTarget.ES2022) : host.getSourceFile(name, ...rest),
  })
  const checker = program.getTypeChecker()
  const exported = checker.getExportsOfModule(moduleOf(checker, program, file))
  return new Map(
    texts.map((text, index) => {
      const symbol = exported.find(({ name }) => name === `Pairs${index}`)
      if (symbol === undefined) throw new Error(`Pairs${index} is missing`)
      return [text, members(checker.getDeclaredTypeOfSymbol(symbol)).sort()]
    }),
  )
}

function moduleOf(checker: ts.TypeChecker, program: ts.Program, path: string): ts.Symbol {
  const file = program.getSourceFile(path)
  const symbol = file && checker.getSymbolAtLocation(file)
  if (symbol === undefined) throw new Error(`${path} is no module`)
  return symbol
}

/** The texts of a union of string literals; never has none. */
function members(type: ts.Type): string[] {
  if (type.isUnion()) return type.types.flatMap(members)
  if (type.isStringLiteral()) return [type.value]
  return type.flags & ts.TypeFlags.Never ? [] : ['not a set of texts']
}
