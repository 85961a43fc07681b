import { Command, CommanderError } from 'commander'
import { nearest } from '../nearest.js'
import { type CommandName, commands } from './commands.js'
import { tellError } from './errors.js'
import { examples } from './examples.js'
import { exitCodes } from './exit-codes.js'
import type { Io } from './io.js'
import { toCount, toMilliseconds, toPort, toReplica, toReplicas } from './options.js'
import { manifest } from './package-root.js'
import { oneLine } from './print/harmless-text.js'

/** Runs `lucilius` with these arguments and gives its exit code; an error is told in one line on stderr. */
export async function run(argv: readonly string[], io: Io): Promise<number> {
  let code: number = exitCodes.done.code
  const tree = commandTree(io, (result) => {
    code = result
  })
  try {
    if (argv.length === 0) tree.outputHelp()
    else await tree.parseAsync(withoutHelpWord(argv), { from: 'user' })
    return code
  } catch (error) {
    return error instanceof CommanderError ? tellUsage(error, tree, argv, io) : tellError(error, io)
  }
}

/** All commands with their options and help. `done` gets the exit code of the one that ran. */
export function commandTree(io: Io, done: (code: number) => void): Command {
  const tree = new Command('lucilius')
    .description('Services that speak in messages: run them together, apart, and from the command line.')
    .version(manifest().version, '-v, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .helpCommand('help [command]', 'print help for a command')
    .exitOverride()
    .configureOutput({ writeOut: (text) => void io.stdout.write(text), writeErr: () => {} })
    .addHelpText('after', '\nlucilius help <command> has examples.')

  const command = (name: CommandName, args: string, about: string): Command => {
    const [own = name, within] = name.split(' ').reverse()
    const parent = tree.commands.find((one) => one.name() === within) ?? tree
    const made = parent.command(`${own} ${args}`.trim()).description(about).addHelpText('after', exampleText(name))
    return made.action(async (...given: unknown[]) => {
      const run = await commands[name]()
      // A table of commands cannot say which options each takes; the tree below does.
      done(await run(argumentsOf(given), withEnvironment(made.optsWithGlobals(), io) as never, io))
    })
  }

  const peers = 'a listener for peers'
  const records = 'write down what services send, for plan --from-trace'
  command('new', '<dir>', 'write a small running system into a new folder')
  withConfig(command('dev', '', 'run everything in one process, and again what changes'))
    .option('--port <port>', 'port of the first door to the outside', toPort)
    .option('--split [deployment]', 'run a deployment as processes of their own on this machine')
    .option('--record <file>', records)
  withConfig(command('up', '[deployment]', 'run a deployment as supervised processes on this machine')) //
    .option('--replicas <group=count>', 'how many processes of a group there are; may be repeated', toReplicas)
    .option('--record <file>', records)
  withConfig(command('start', '<deployment>', 'run one group of a deployment in this process'))
    .requiredOption('--group <name>', 'the group')
    .option('--replica <number>', 'which replica of it: 1, or LUCILIUS_REPLICA', toReplica)
  withConfig(command('plan', '[deployment]', 'show who runs where, and what is wrong with it'))
    .option('--from-trace <file>', 'also check the messages of a recorded run')
    .option('--strict', 'fail on warnings, too')
    .option('--json', 'print JSON')
  withConfig(
    command(
      'export',
      '<platform> <deployment>',
      'write the files that compose, kubernetes or systemd runs a deployment by',
    ),
  ) //
    .option('--out <folder>', 'where to write: deploy/<platform> beside the description')
    .option('--force', 'write over files that are there')
  withUrl(command('act', '<message>', 'send one message and print the reply as JSON')) //
    .option('--timeout <ms>', 'how long to wait for the reply', toMilliseconds)
  withUrl(command('list', '[pattern]', 'list the actions, or those that a pattern covers'), peers) //
    .option('--json', 'print JSON')
  withUrl(command('explain', '<message>', 'tell which action answers a message, and why'), peers) //
    .option('--json', 'print JSON')
  withUrl(command('repl', '', 'open what runs at a prompt: type messages, see replies and what passes'))
  withConfig(command('events', '[deployment]', 'show what the store of durable events keeps, and who is behind'))
    .option('--json', 'print JSON')
    .usage('[options] [deployment]')
  withStore(command('events dead', '[subscription]', 'list the dead letters, oldest first')) //
    .option('--limit <count>', 'how many at most: 100 unless given', toCount)
  withStore(command('events show', '<id>', 'show a dead letter: its event, and all that failed'))
  withChoice(command('events replay', '[ids...]', 'deliver dead letters again'))
  withChoice(command('events drop', '[ids...]', 'forget dead letters')) //
    .option('--yes', 'do not ask')
  withStore(command('events remove', '<subscription>', 'forget a subscription, and all that waits for it')).option(
    '--yes',
    'do not ask',
  )
  return tree
}

function withConfig(command: Command): Command {
  return command.option('--config <file>', 'the description: lucilius.config.* here, or LUCILIUS_CONFIG')
}

function withUrl(command: Command, who = 'a listener'): Command {
  return withConfig(command).option('--url <url>', `${who}: http://, https://, ws:// or wss://`)
}

function withStore(command: Command): Command {
  return withConfig(command)
    .option('--deployment <name>', 'whose store: what runs, or the only one with a store')
    .option('--json', 'print JSON')
}

function withChoice(command: Command): Command {
  return withStore(command)
    .option('--all', 'all dead letters')
    .option('--subscription <name>', 'with --all: those of one subscription')
}

/** commander's own `help` knows no command within a command. */
function withoutHelpWord(argv: readonly string[]): readonly string[] {
  return argv[0] === 'help' && argv.length > 2 ? [...argv.slice(1), '--help'] : argv
}

/** commander calls an action with the arguments, the options and the command itself. */
function argumentsOf(given: readonly unknown[]): string[] {
  return given
    .slice(0, -2)
    .flat()
    .filter((one) => typeof one === 'string')
}

function withEnvironment(options: object, { env }: Io): object {
  const config = env.LUCILIUS_CONFIG
  return config === undefined || config === '' ? options : { config, ...options }
}

function exampleText(name: CommandName): string {
  const lines = examples[name].flatMap(({ line, does }) => [`  $ ${line}`, `      ${does}`])
  return `\nExamples:\n${lines.join('\n')}`
}

/** What was typed wrongly, in one line with the nearest that is known. Help and version are no errors. */
function tellUsage(error: CommanderError, tree: Command, argv: readonly string[], { stderr }: Io): number {
  if (error.exitCode === 0) return exitCodes.done.code
  const path = commandsOf(tree, argv)
  const command = path.at(-1)
  const told = oneLine(error.message.replace(/^error: /, '')).replaceAll(/\/\/[^\s/@]*@/g, '//…@')
  const text = `${told}${/[.?)]$/.test(told) ? '' : '.'}${hintFor(error, command, argv[path.length])}`
  const see = command === undefined ? '--help' : `help ${path.map((one) => one.name()).join(' ')}`
  stderr.write(`lucilius: ${text} See: lucilius ${see}\n`)
  return exitCodes.usage.code
}

/** Codes of commander: something that is needed was not given. */
const INCOMPLETE: ReadonlySet<string> = new Set(['commander.missingArgument', 'commander.missingMandatoryOptionValue'])

/** A command with all that it needs, as it is typed. */
function neededBy(command: Command): string {
  const args = command.registeredArguments.filter(({ required }) => required).map((one) => `<${one.name()}>`)
  const options = command.options.filter(({ mandatory }) => mandatory).map(({ flags }) => flags)
  return [...pathOf(command), ...args, ...options].join(' ')
}

function pathOf(command: Command): readonly string[] {
  return [...(command.parent === null ? [] : pathOf(command.parent)), command.name()]
}

/** The command that was meant, within the one that it is within. */
function commandsOf(tree: Command, argv: readonly string[]): readonly Command[] {
  const [name, ...rest] = argv
  const command = tree.commands.find((one) => one.name() === name)
  return command === undefined ? [] : [command, ...commandsOf(command, rest)]
}

function hintFor({ code, message }: CommanderError, command: Command | undefined, word = ''): string {
  if (command !== undefined && INCOMPLETE.has(code)) return ` Usage: ${neededBy(command)}`
  if (code === 'commander.excessArguments') {
    const [near] = nearest(word, command?.commands.map((one) => one.name()) ?? [])
    return near === undefined ? ' What holds spaces is put in quotes.' : ` (Did you mean ${command?.name()} ${near}?)`
  }
  const [, option] = /unknown option '(--[^'=]*)=/.exec(message) ?? []
  if (option === undefined || message.includes('Did you mean')) return ''
  const [near] = nearest(option, command?.options.flatMap(({ long }) => long ?? []) ?? [])
  return near === undefined ? '' : ` (Did you mean ${near}?)`
}
