import { execFile } from 'node:child_process'
import { join } from 'node:path'
import ts from 'typescript'
import { repoRoot } from '../support/repo-root.js'
import type { Page } from './pages.js'

/** A program in a page: a block marked `ts`, and what it prints, a block marked `text` right after it. */
export interface Snippet {
  /** Where it stands: `docs/actions.md:12`, the line of its first line of code. */
  readonly place: string
  readonly line: number
  readonly page: string
  readonly code: string
  readonly printed: string
  /** Why it cannot run: what stands behind `ts nocheck`. */
  readonly nocheck: string | undefined
}

interface Block {
  readonly info: string
  readonly line: number
  readonly body: string
}

/** The programs of a page. */
export function snippetsOf({ path, text }: Page): Snippet[] {
  const blocks = blocksOf(text)
  return blocks.flatMap(({ info, line, body }, index) => {
    const [language, mark, ...reason] = info.split(' ')
    if (language !== 'ts') return []
    const next = blocks[index + 1]
    const printed = next?.info === 'text' ? next.body.trimEnd() : ''
    const nocheck = mark === 'nocheck' ? reason.join(' ') : undefined
    return [{ place: `${path}:${line}`, line, page: path, code: body, printed, nocheck }]
  })
}

function blocksOf(text: string): Block[] {
  const found = text.matchAll(/^```([^\n`]*)\n(.*?)^```$/gms)
  return [...found].map(({ 1: info = '', 2: body = '', index }) => ({
    info: info.trim(),
    line: text.slice(0, index).split('\n').length + 1,
    body,
  }))
}

/** Compiles files as programs that use the built package; the errors are those of the compiler, by file. */
export function compile(files: readonly string[]): Map<string, string[]> {
  const { options } = ts.getParsedCommandLineOfConfigFile(
    join(repoRoot(), 'tsconfig.json'),
    {},
    {
      ...ts.sys,
      onUnRecoverableConfigFileDiagnostic: ({ messageText }) => {
        throw new Error(ts.flattenDiagnosticMessageText(messageText, '\n'))
      },
    },
  ) as ts.ParsedCommandLine
  const { outDir, rootDir, ...rest } = options
  const program = ts.createProgram(files, {
    ...rest,
    composite: false,
    incremental: false,
    declaration: false,
    sourceMap: false,
    inlineSources: false,
  })
  program.emit()
  return new Map(files.map((file) => [file, errorsOf(program, file)]))
}

function errorsOf(program: ts.Program, path: string): string[] {
  const file = program.getSourceFile(path)
  if (file === undefined) throw new Error(`${path} is not in the program`)
  return [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)].map((error) => {
    const { line } = file.getLineAndCharacterOfPosition(error.start ?? 0)
    return `line ${line + 1}: TS${error.code}: ${ts.flattenDiagnosticMessageText(error.messageText, '\n')}`
  })
}

/** What a program did. */
export interface Run {
  readonly code: number
  readonly printed: string
  readonly complaints: string
}

/** Runs a compiled program outside production, for 20 s at most. */
export function run(file: string): Promise<Run> {
  const { NODE_ENV, NODE_OPTIONS, ...env } = process.env
  return new Promise((resolve) => {
    execFile(process.execPath, [file], { env, timeout: 20_000 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 1
      resolve({ code, printed: stdout.trimEnd(), complaints: stderr })
    })
  })
}
