import { Command, CommanderError } from 'commander'
import { nearest } from '../nearest.js'
import { type CommandName, commands } from './commands.js'
import { tellError } from './errors.js'
import { examples } from './examples.js'
import { exitCodes } from './exit-codes.js'
import type { Io } from './io.js'
import { toMilliseconds, toPort, toReplica, toReplicas } from './options.js'
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
    else await tree.parseAsync(argv, { from: 'user' })
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
    const made = tree.command(`${name} ${args}`.trim()).description(about).addHelpText('after', exampleText(name))
    return made.action(async (...given: unknown[]) => {
      const run = await commands[name]()
      // A table of commands cannot say which options each takes; the tree below does.
      done(await run(argumentsOf(given), withEnvironment(made.opts(), io) as never, io))
    })
  }

  const peers = 'a listener for peers'
  command('new', '<dir>', 'write a small running system into a new folder')
  withConfig(command('dev', '', 'run everything in one process, and again what changes'))
    .option('--port <port>', 'port of the first door to the outside', toPort)
    .option('--split [deployment]', 'run a deployment as processes of their own on this machine')
  withConfig(command('up', '[deployment]', 'run a deployment as supervised processes on this machine')) //
    .option('--replicas <group=count>', 'how many processes of a group there are; may be repeated', toReplicas)
    .option('--record <file>', 'write down what services send, for plan --from-trace')
  withConfig(command('start', '<deployment>', 'run one group of a deployment in this process'))
    .requiredOption('--group <name>', 'the group')
    .option('--replica <number>', 'which replica of it: 1, or LUCILIUS_REPLICA', toReplica)
  withConfig(command('plan', '[deployment]', 'show who runs where, and what is wrong with it'))
    .option('--from-trace <file>', 'also check the messages of a recorded run')
    .option('--strict', 'fail on warnings, too')
    .option('--json', 'print JSON')
  withUrl(command('act', '<message>', 'send one message and print the reply as JSON')) //
    .option('--timeout <ms>', 'how long to wait for the reply', toMilliseconds)
  withUrl(command('list', '[pattern]', 'list the actions, or those that a pattern covers'), peers) //
    .option('--json', 'print JSON')
  withUrl(command('explain', '<message>', 'tell which action answers a message, and why'), peers) //
    .option('--json', 'print JSON')
  return tree
}

function withConfig(command: Command): Command {
  return command.option('--config <file>', 'the description: lucilius.config.* here, or LUCILIUS_CONFIG')
}

function withUrl(command: Command, who = 'a listener'): Command {
  return withConfig(command).option('--url <url>', `${who}: http://, https://, ws:// or wss://`)
}

/** commander calls an action with the arguments, the options and the command itself. */
function argumentsOf(given: readonly unknown[]): string[] {
  return given.slice(0, -2).filter((one) => typeof one === 'string')
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
  const command = tree.commands.find((one) => one.name() === argv[0])
  const told = oneLine(error.message.replace(/^error: /, '')).replaceAll(/\/\/[^\s/@]*@/g, '//…@')
  const text = `${told}${/[.?)]$/.test(told) ? '' : '.'}${hintFor(error, command)}`
  stderr.write(`lucilius: ${text} See: lucilius ${command === undefined ? '--help' : `help ${command.name()}`}\n`)
  return exitCodes.usage.code
}

function hintFor({ code, message }: CommanderError, command: Command | undefined): string {
  if (code === 'commander.excessArguments') return ' What holds spaces is put in quotes.'
  const [, option] = /unknown option '(--[^'=]*)=/.exec(message) ?? []
  if (option === undefined || message.includes('Did you mean')) return ''
  const [near] = nearest(option, command?.options.flatMap(({ long }) => long ?? []) ?? [])
  return near === undefined ? '' : ` (Did you mean ${near}?)`
}
