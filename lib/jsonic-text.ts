import {
  type AltCond,
  type AltError,
  type AltSpec,
  type Context,
  Jsonic,
  JsonicError,
  type Rule,
  type Token,
} from 'jsonic'
import { LuciliusError } from './errors.js'
import { bareScalar, echo, quoted, shown } from './scalars.js'

/** What a text is meant to be: the first word of the error that refuses it. */
export type TextKind = 'Pattern' | 'Message'

/** A parsed text: pairs of scalars, null, lists and objects, not yet frozen and nobody else's. */
export type Parsed = Record<string, unknown>

const deepest = 64 // levels, the outermost object being the first

/**
 * Parses `key:value` pairs, separated by commas or newlines, with nested `{…}` and `[…]` values.
 *
 * A grammar of our own on jsonic's engine: jsonic's own reads `a:b:c` as nested objects, `a:1 b:2` as two pairs, takes
 * duplicate keys and changes the text of bare numbers. Throws `LUC_PATTERN_INVALID`.
 */
export function parseJsonicText(text: string, kind: TextKind): Parsed {
  parser ??= makeParser()
  try {
    return parser(text, { kind, text }) as Parsed // the rule `document` makes nothing else
  } catch (error) {
    // jsonic's message holds ANSI escapes and its stack leads into the parser: neither helps who wrote the text.
    if (error instanceof JsonicError) throw refusal(kind, text, lexerReason(error as Misread))
    throw error
  }
}

/** The error that refuses a text: what it was, cut and escaped, and the reason, which ends with what to do. */
export function refusal(kind: TextKind, text: string, reason: string): LuciliusError {
  return new LuciliusError('LUC_PATTERN_INVALID', `${kind} ${echo(text)}: ${reason}`)
}

let parser: typeof Jsonic | undefined // made at the first text: it takes a millisecond that an import should not take

function makeParser(): typeof Jsonic {
  const jsonic = Jsonic.make({
    comment: { lex: false },
    number: { lex: false }, // bare text stays text, `bareScalar` decides
    value: { lex: false },
    string: { allowUnknown: false },
    tokenSet: { IGNORE: ['#SP', '#SP', '#SP'] }, // lists merge by index; newlines must reach the grammar
    rule: { start: 'document' },
  })
  for (const [name, { before, open, after, close }] of Object.entries(grammar)) {
    jsonic.rule(name, (rule) => {
      rule.open(open)
      rule.close(close)
      if (before !== undefined) rule.bo(before)
      if (after !== undefined) rule.bc(after)
    })
  }
  return jsonic
}

interface GrammarRule {
  readonly before?: (rule: Rule) => void
  readonly open: AltSpec[]
  readonly after?: (rule: Rule) => void
  readonly close: AltSpec[]
}

const braced: AltCond = (rule) => rule.k.braced === true
const unbraced: AltCond = (rule) => rule.k.braced !== true
const inObject = { braced: true }

// jsonic tries the alternatives in order. s: tokens to match, b: how many of them to give back, p: push a rule,
// r: become a rule, a: action, c: condition, e: refuse. #LN newline, #OB { #CB } #OS [ #CS ], #CL colon, #CA comma,
// #TX bare text, #ST quoted text, #ZZ the end.
const grammar: Readonly<Record<string, GrammarRule>> = {
  document: {
    before: (rule) => {
      rule.node ??= {}
    },
    open: [
      { s: '#LN', r: 'document' },
      { s: '#OB', k: inObject, p: 'pair' },
      { s: '#KEY', b: 1, p: 'pair' },
      { e: refuse(noDocument) },
    ],
    close: [{ s: '#CB', c: braced, r: 'rest' }, {}],
  },
  rest: {
    open: [{ s: '#LN', r: 'rest' }, { s: '#ZZ' }, { e: refuse(afterDocument) }],
    close: [],
  },
  pair: {
    open: [
      { s: '#LN', r: 'pair' },
      { s: '#CB', b: 1, c: braced },
      { s: '#ZZ', b: 1, c: unbraced },
      { s: '#KEY #CL', a: takeKey, p: 'value' },
      { e: refuse(noPair) },
    ],
    after: setPair,
    close: [
      { s: '#CA', r: 'pair' },
      { s: '#LN', r: 'afterPair' },
      { s: '#CB', b: 1, c: braced },
      { s: '#ZZ', b: 1, c: unbraced },
      { s: '#CL', e: refuse(colonChain) },
      { e: refuse(noEndOfPair) },
    ],
  },
  afterPair: { open: [{ s: '#LN', r: 'afterPair' }, { s: '#CA', r: 'pair' }, { r: 'pair' }], close: [] },
  value: {
    before: (rule) => {
      rule.node = undefined
    },
    open: [
      { s: '#OB', n: { depth: 1 }, k: inObject, a: startObject, p: 'pair' },
      { s: '#OS', n: { depth: 1 }, a: startList, p: 'element' },
      { s: '#TX', a: takeBare },
      { s: '#ST', a: takeQuoted },
      { e: refuse(noValue) },
    ],
    close: [{ s: '#CB', c: opened('#OB') }, { s: '#CS', c: opened('#OS') }, {}],
  },
  element: {
    open: [
      { s: '#LN', r: 'element' },
      { s: '#CS', b: 1 },
      { s: '#KEY #CL', e: refuse(({ t0 }) => `a list holds values, not pairs. Write [{${shown(t0.src)}:…}].`) },
      { u: { filled: true }, p: 'value' },
    ],
    after: (rule) => {
      if (rule.u.filled === true) (rule.node as unknown[]).push(rule.child.node)
    },
    close: [
      { s: '#CA', r: 'element' },
      { s: '#LN', r: 'afterElement' },
      { s: '#CS', b: 1 },
      { e: refuse(noEndOfElement) },
    ],
  },
  afterElement: { open: [{ s: '#LN', r: 'afterElement' }, { s: '#CA', r: 'element' }, { r: 'element' }], close: [] },
}

type Reason = (context: Context, rule: Rule) => string

function refuse(reason: Reason): AltError {
  return (rule, context) => {
    throw refusalAt(context, reason(context, rule))
  }
}

function refusalAt(context: Context, reason: string): LuciliusError {
  return refusal(context.meta.kind as TextKind, context.meta.text as string, reason)
}

function opened(token: string): AltCond {
  return (rule) => rule.o0.name === token
}

function takeKey(rule: Rule, context: Context): void {
  const key = tokenText(rule.o0, context)
  if (key === '__proto__') throw refusalAt(context, 'the key "__proto__" is forbidden. Use another name.')
  if (Object.hasOwn(rule.node as object, key)) {
    throw refusalAt(context, `the key ${echo(key)} stands twice. Keep one of them.`)
  }
  rule.u.key = key
}

function setPair(rule: Rule): void {
  if (typeof rule.u.key !== 'string') return
  const value: unknown = rule.child.node
  // Not an assignment, which an accessor on Object.prototype would take.
  Object.defineProperty(rule.node, rule.u.key, { value, enumerable: true, writable: true, configurable: true })
}

function startObject(rule: Rule, context: Context): void {
  refuseDepth(rule, context)
  rule.node = {}
}

function startList(rule: Rule, context: Context): void {
  refuseDepth(rule, context)
  rule.node = []
}

function refuseDepth(rule: Rule, context: Context): void {
  const depth = rule.n.depth ?? 0
  if (depth >= deepest) throw refusalAt(context, `it is nested deeper than ${deepest} levels. Make it flatter.`)
}

function takeBare(rule: Rule): void {
  rule.node = rule.o0.src === 'null' ? null : bareScalar(rule.o0.src)
}

function takeQuoted(rule: Rule, context: Context): void {
  rule.node = tokenText(rule.o0, context)
}

/** What a bare or quoted token says. jsonic reads a wrong escape as something else, so those are refused here. */
function tokenText(token: Token, context: Context): string {
  if (token.name === '#TX') return token.src
  const strange = token.src.replace(/\\(?:["'`\\/bfnrtv]|x[\da-fA-F]{2}|u[\da-fA-F]{4})/g, '').indexOf('\\')
  if (strange < 0) return token.val as string
  throw refusalAt(context, `${echo(token.src)} holds an unknown escape. ${escapes}`)
}

const unclosedBrace = 'the brace is never closed. Add the missing "}".'
const escapes = 'In quotes, use \\n, \\t, \\xhh, \\uhhhh or a doubled backslash.'

function colonChain({ meta }: Context, rule: Rule): string {
  const key = rule.o0
  const rest = (meta.text as string).slice(key.sI + key.len)
  const source = rest.replace(/^[^:]*:\s*/, '').replace(/[,\n\r\]}].*$/s, '')
  return `the value of ${echo(rule.u.key as string)} holds another colon. Quote it: ${shown(key.src)}:${shown(quoted(source.trim()))}`
}

function noDocument(context: Context): string {
  const { name } = context.t0
  if (name === '#CL' || name === '#CA' || name === '#CB') return noPair(context)
  return 'it holds no key:value pair. Write at least one, as in role:convert.'
}

function afterDocument({ t0 }: Context): string {
  return `${echo(t0.src)} stands after the closing brace. Remove it.`
}

function noPair({ t0, t1 }: Context): string {
  if (t0.name === '#ZZ') return unclosedBrace
  if (t0.name === '#CL') return 'a value has no key before its colon. Write key:value.'
  if (t0.name === '#CA') return 'there is nothing before a comma. Remove the comma.'
  if (!isText(t0)) return `${echo(t0.src)} stands where a key belongs. Remove it, or quote a text that holds it.`
  if (isText(t1))
    return `${echo(t0.src)} and ${echo(t1.src)} have no comma between them. Add one, or quote a text that holds spaces.`
  return `the key ${echo(t0.src)} has no value. Write key:value.`
}

function noEndOfPair({ t0 }: Context, rule: Rule): string {
  if (t0.name === '#ZZ') return unclosedBrace
  if (t0.name === '#CB' || t0.name === '#CS')
    return `${echo(t0.src)} closes nothing. Remove it, or quote a text that holds it.`
  return `${echo(t0.src)} follows the value of ${echo(rule.u.key as string)} with no comma. Add one, or quote a text that holds spaces.`
}

function noEndOfElement({ t0 }: Context): string {
  if (t0.name === '#ZZ') return 'the list is never closed. Add the missing "]".'
  return `${echo(t0.src)} follows an element with no comma. Add one, or quote a text that holds spaces.`
}

function noValue(_context: Context, { parent }: Rule): string {
  if (parent.name === 'element') return 'a list has an element without a value. Remove the comma, or write null.'
  return `the key ${echo(parent.u.key as string)} has no value. Write it after the colon, an empty text as ''.`
}

/** What jsonic puts on its errors; its types do not say so. */
type Misread = JsonicError & { readonly code: string; readonly lineNumber: number; readonly columnNumber: number }

function lexerReason({ code, lineNumber, columnNumber }: Misread): string {
  const where = `at line ${lineNumber}, column ${columnNumber}`
  if (code === 'unterminated_string') return `the quote ${where} is never closed. Add the missing quote.`
  if (code === 'unprintable') return `the quoted text ${where} holds a control character. Write \\n, \\t or \\uhhhh.`
  return `the text ${where} cannot be read. Quote it. ${escapes}`
}

function isText({ name }: Token): boolean {
  return name === '#TX' || name === '#ST'
}
