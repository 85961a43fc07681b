import { didYouMean } from '../../did-you-mean.js'

/** What may be typed beside a message. */
export interface DotCommand {
  /** What follows its name. */
  readonly args: string
  readonly does: string
  /** What may follow, where that is one of a few words. */
  readonly words?: readonly string[]
}

/** All of them, in the order of `.help`. */
export const dotCommands = {
  '.list': { args: '[pattern]', does: 'the actions, or those that a pattern covers' },
  '.explain': { args: '<message>', does: 'which action answers a message, and why' },
  '.trace': {
    args: 'on|off',
    does: 'every message that passes, with its duration and process',
    words: ['on', 'off'],
  },
  '.more': { args: '', does: 'the rest of what was too long for the screen' },
  '.history': {
    args: 'on|off|clear',
    does: 'whether lines are kept from here on; clear forgets all',
    words: ['on', 'off', 'clear'],
  },
  '.help': { args: '', does: 'this' },
  '.exit': { args: '', does: 'leaves, as Ctrl-D does' },
} as const satisfies { readonly [name: string]: DotCommand }

/** The name of one. */
export type DotName = keyof typeof dotCommands

/** What a line asks for; undefined for an empty one. Throws, in words for people, for a command that is not known. */
export type Typed =
  | { readonly kind: 'message'; readonly text: string }
  | { readonly kind: 'command'; readonly name: DotName; readonly rest: string }

/** A line that asks for nothing that there is. */
export class Mistyped extends Error {}

/** Reads a line. Throws `Mistyped`. */
export function toTyped(line: string): Typed | undefined {
  const text = line.trim()
  if (text === '') return undefined
  if (!text.startsWith('.')) return { kind: 'message', text }
  const [name = ''] = text.split(/\s/, 1)
  const rest = text.slice(name.length).trim()
  if (!isDotName(name)) throw new Mistyped(`There is no ${name}: ${didYouMean(name, Object.keys(dotCommands))}`)
  const { args, words }: DotCommand = dotCommands[name]
  const isMeant = words === undefined ? rest !== '' || !args.startsWith('<') : words.includes(rest)
  if (!isMeant || (args === '' && rest !== '')) throw new Mistyped(`It is: ${name}${args === '' ? '' : ` ${args}`}`)
  return { kind: 'command', name, rest }
}

function isDotName(name: string): name is DotName {
  return Object.hasOwn(dotCommands, name)
}
