import { isGlob } from '../../glob.js'
import { type Pattern, toPattern } from '../../pattern.js'
import { quoted } from '../../scalars.js'
import { type DotCommand, dotCommands } from './dot-commands.js'

/** What may stand in place of the end of a line, and that end: as `node:readline` wants it. */
export type Completion = [hits: string[], end: string]

/**
 * Completes a line: a command, the words after it, or a message by the keys and values of patterns. Only patterns that do
 * not contradict the pairs before are looked at, and globs offer no value. Within quotes, lists and objects there is
 * nothing to complete.
 */
export function complete(line: string, patterns: readonly string[]): Completion {
  const [, name, rest] = /^\s*(\.\w*)(?:\s+(.*))?$/s.exec(line) ?? []
  if (name === undefined) return completeMessage(line, patterns)
  if (rest === undefined && !/\s$/.test(line)) return startingWith(name, Object.keys(dotCommands))
  const known: DotCommand | undefined = (dotCommands as { readonly [name: string]: DotCommand })[name]
  if (known?.words !== undefined) return startingWith(rest ?? '', known.words)
  if (known === undefined || known.args === '') return [[], line]
  return completeMessage(rest ?? '', patterns)
}

function completeMessage(text: string, patterns: readonly string[]): Completion {
  if (/[{}[\]'"\\]/.test(text)) return [[], text]
  const [end = '', ...before] = text.split(',').reverse()
  const fragment = end.trimStart()
  const given = new Map(before.map((pair) => splitPair(pair)))
  const fitting = patterns.map(toPattern).filter((pattern) => fits(pattern, given))
  const [key, value] = splitPair(fragment)
  if (value === undefined) {
    const keys = fitting.flatMap(({ keys }) => keys.filter((one) => !given.has(one)))
    return startingWith(
      fragment,
      keys.map((one) => `${shownPart(one)}:`),
    )
  }
  const values = fitting.flatMap(({ keys, values }) => {
    const found = values[keys.indexOf(key)]
    return found === undefined || isGlob(found) ? [] : [found]
  })
  return startingWith(
    `${key}:${value}`,
    values.map((one) => `${key}:${shownPart(one)}`),
    fragment,
  )
}

function splitPair(pair: string): readonly [key: string, value: string | undefined] {
  const at = pair.indexOf(':')
  return at < 0 ? [pair.trim(), undefined] : [pair.slice(0, at).trim(), pair.slice(at + 1).trim()]
}

function fits({ keys, values }: Pattern, given: ReadonlyMap<string, string | undefined>): boolean {
  return keys.every((key, at) => {
    const value = given.get(key)
    const wanted = values[at] ?? ''
    return value === undefined || isGlob(wanted) || wanted === value
  })
}

/** A key or value as it is typed. */
function shownPart(text: string): string {
  return /^[^\s,:{}[\]'"\\\p{C}]+$/u.test(text) ? text : quoted(text)
}

function startingWith(start: string, words: readonly string[], end = start): Completion {
  return [[...new Set(words)].filter((word) => word.startsWith(start)).sort(), end]
}
