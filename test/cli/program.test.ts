import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'
import t from 'tap'
import { type CommandName, commands } from '../../lib/cli/commands.js'
import { examples } from '../../lib/cli/examples.js'
import { exitCodes } from '../../lib/cli/exit-codes.js'
import { processIo } from '../../lib/cli/io.js'
import { commandTree } from '../../lib/cli/program.js'
import { type Page, tableRows } from '../docs/pages.js'
import { repoRoot } from '../support/repo-root.js'
import { isOneLine, lucilius } from './fake-io.js'

const tree = commandTree(processIo(), () => {})
const path = 'docs/command-line.md'
const page: Page = { path, text: readFileSync(join(repoRoot(), path), 'utf8') }

t.test('a wrong call ends with 2 and one line that says what is wrong and where to read on', async (t) => {
  const calls: readonly (readonly [argv: readonly string[], line: RegExp])[] = [
    [['frobnicate'], /unknown command 'frobnicate'.*lucilius --help/],
    [['pln'], /unknown command 'pln' \(Did you mean plan\?\)/],
    [['act', '--ulr', 'x', 'a:1'], /unknown option '--ulr' \(Did you mean --url\?\).*lucilius help act/],
    [['act', '--ulr=http://u:p@x', 'a:1'], /unknown option '--ulr=http:\/\/…@x'\. \(Did you mean --url\?\)/],
    [['act'], /missing required argument 'message'\. Usage: lucilius act <message> See: lucilius help act\n/],
    [['act', 'a:1,', 'b:2'], /too many arguments.*quotes/],
    [['act', '--timeout', 'soon', 'a:1'], /'soon' is invalid\. It is a whole number of milliseconds from 1/],
    [['act', '--timeout', '0', 'a:1'], /'0' is invalid/],
    [['dev', '--port'], /'--port <port>' argument missing/],
    [['dev', '--port', '70000'], /'70000' is invalid\. A port is a whole number from 0 to 65535/],
    [['start', 'split'], /required option '--group <name>'/],
    [['start'], /'--group <name>' not specified\. Usage: lucilius start <deployment> --group <name> See: /],
    [['list', 'lan'], /"lan" has no value.* 'list' takes a pattern, such as role:stock/],
    [['up', '--replicas', 'convert'], /Write a group and a number from 1 to 1000, such as convert=3/],
    [['up', '--replicas', 'convert=0'], /Write a group and a number/],
    [['up', '--replicas', 'convert=1001'], /a number from 1 to 1000, such as/],
    [['start', 'split', '--group', 'a', '--replica', '1001'], /Replicas are counted from 1 to 1000/],
    [['\u001b[31mact'], /unknown command '\\u001b\[31mact'/],
    [['new', 'a', 'b'], /too many arguments/],
    [['events', 'replya', '1'], /too many arguments.* \(Did you mean events replay\?\) See: lucilius help events\n/],
    [['events', 'dead', '--limt', '1'], /unknown option '--limt'.*--limit.*See: lucilius help events dead\n/],
    [['events', 'dead', '--limit', '0'], /'0' is invalid\. It is a whole number from 1 to/],
    [['events', 'show'], /missing required argument 'id'/],
    [['events', 'remove'], /missing required argument 'subscription'/],
    [['events', 'replay'], /Name dead letters, or say --all/],
    [['events', 'drop', '1', '--all'], /not both/],
    [['events', 'replay', '1', '--subscription', 'a'], /--subscription goes with --all/],
  ]
  for (const [argv, line] of calls) {
    const { code, stdout, stderr } = await lucilius(argv)
    t.equal(code, 2, argv.join(' '))
    t.equal(stdout, '', argv.join(' '))
    t.match(stderr, line)
    t.ok(isOneLine(stderr), stderr)
  }
})

t.test('help is printed to stdout and ends with 0, for all and for each command', async (t) => {
  for (const argv of [[], ['help'], ['--help'], ['-h']]) {
    const { code, stdout, stderr } = await lucilius(argv)
    t.strictSame({ code, stderr }, { code: 0, stderr: '' }, argv.join())
    for (const name of Object.keys(commands)) if (!name.includes(' ')) t.match(stdout, `  ${name}`)
  }
  for (const name of Object.keys(commands) as CommandName[]) {
    const words = name.split(' ')
    const { code, stdout } = await lucilius(['help', ...words])
    t.equal(code, 0)
    t.ok(examples[name].length > 0)
    for (const { line } of examples[name]) t.match(stdout, `$ ${line}`, name)
    t.equal((await lucilius([...words, '--help'])).stdout, stdout)
  }
})

t.test('each example in the help is a call that the commands take', async (t) => {
  for (const example of Object.values(examples).flat()) {
    const argv = wordsOf(example.line)
    t.equal(argv.shift(), 'lucilius', example.line)
    const parsed = commandTree(processIo(), () => {})
    for (const one of allOf(parsed)) one.action(() => {})
    await t.resolves(parsed.parseAsync(argv, { from: 'user' }), example.line)
  }
})

t.test('--version prints the version of the package', async (t) => {
  const { version } = JSON.parse(readFileSync(join(repoRoot(), 'package.json'), 'utf8'))
  t.equal((await lucilius(['--version'])).stdout, `${version}\n`)
})

t.test('LUCILIUS_CONFIG stands for --config, which goes first', async (t) => {
  const env = { LUCILIUS_CONFIG: 'from-environment.js' }
  t.match((await lucilius(['list'], { env })).stderr, /from-environment\.js/)
  t.match((await lucilius(['list', '--config', 'from-option.js'], { env })).stderr, /from-option\.js/)
})

t.test('a description that is not there ends with 2 and one line', async (t) => {
  for (const argv of [['act', 'a:1'], ['list'], ['explain', 'a:1'], ['start', 'split', '--group', 'all']]) {
    const { code, stderr } = await lucilius([...argv, '--config', 'no-such-file.ts'])
    t.equal(code, 2, argv.join(' '))
    t.match(stderr, /no-such-file\.ts/)
    t.ok(isOneLine(stderr), stderr)
  }
})

t.test('the page of the command line has every command with its usage, its options and its examples', async (t) => {
  for (const command of allOf(tree)) {
    const name = nameOf(command)
    const section = sectionOf(`## lucilius ${name}`)
    t.match(section, `lucilius ${name}${usageOf(command.usage())}`, `${name}: usage`)
    const { options } = command
    const rows = options.length === 0 ? [] : tableRows({ path, text: section }, ['option', 'says'])
    t.strictSame(
      rows.map(([flags]) => flags),
      options.map(({ flags }) => flags),
      `${name}: options`,
    )
    for (const { line } of examples[name as CommandName]) t.match(section, line, name)
  }
})

t.test('the page of the command line has no command that is not there', async (t) => {
  const titles = [...page.text.matchAll(/^##+ lucilius (.+)$/gm)].map(([, name]) => name)
  t.strictSame(titles.toSorted(), allOf(tree).map(nameOf).toSorted())
})

t.test('the page of the command line has the table of exit codes', async (t) => {
  t.strictSame(
    tableRows(page, ['code', 'when']),
    Object.values(exitCodes).map(({ code, when }) => [String(code), when]),
  )
})

/** The words of a line as a shell makes them, variables before the command left out. */
function wordsOf(line: string): string[] {
  const words = [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? '')
  return words.slice(words.indexOf('lucilius'))
}

/** A section of the page, its title and what is below another title left out. */
function sectionOf(title: string): string {
  const [, section = ''] = page.text.split(`${title}\n`)
  return section.split(/\n##+ /)[0] ?? ''
}

/** All commands, those within a command after it. */
function allOf({ commands }: Command): Command[] {
  return commands.flatMap((one) => [one, ...allOf(one)])
}

/** `events dead` for one within another. */
function nameOf(command: Command): string {
  const { parent } = command
  return parent === null || parent.parent === null ? command.name() : `${nameOf(parent)} ${command.name()}`
}

function usageOf(usage: string): string {
  const args = usage.replace(/\s*\[options\]\s*/, '')
  return args === '' ? '' : ` ${args}`
}
