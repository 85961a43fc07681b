import type { StandardSchemaV1 } from '@standard-schema/spec'
import { LuciliusError } from '../errors.js'
import type { Context, Handler } from '../handler.js'
import type { Message } from '../message.js'
import { portableCopy } from '../portable.js'
import type { Action } from './action.js'
import { type Call, describe } from './call.js'
import { callOf } from './context.js'
import { followed } from './followed.js'

/**
 * The innermost part of an action: parity, schemas and the handler itself, in this order:
 * strict copy, message schema, handler, reply schema (the reply is copied where the call settles).
 */
export function guard(action: Action, strict: boolean, wrapped: boolean): Handler {
  const { message: messageSchema, reply: replySchema } = action.options
  const handler = strict ? followed(action.handler) : action.handler
  const checked = messageSchema === undefined && replySchema === undefined ? handler : validated(action, handler)
  return wrapped ? rewritten(checked, strict) : checked
}

/** Notes a message that a wrap made of the one that was sent, and checks it as that one was checked when it was sent. */
function rewritten(next: Handler, strict: boolean): Handler {
  return (message, context) => {
    const call = callOf(context)
    if (call === undefined) return next(message, context)
    // A slow wrap may have used up the time: nothing is started after its deadline.
    if (call.end !== undefined) throw call.end
    if (message === call.message) return next(message, context)
    call.message = strict ? (ours(call, () => portableCopy(message, 'message')) as Message) : message
    return next(call.message, context)
  }
}

function validated(action: Action, handler: Handler): Handler {
  const { message: messageSchema, reply: replySchema } = action.options
  return async (message, context) => {
    const accepted = messageSchema === undefined ? message : await checkMessage(messageSchema, message, action, context)
    // A slow schema may have used up the time: nothing is started after its deadline.
    const end = callOf(context)?.end
    if (end !== undefined) throw end
    const reply = await handler(accepted, context)
    return replySchema === undefined ? reply : checkReply(replySchema, reply, action, context)
  }
}

async function checkMessage(
  schema: StandardSchemaV1,
  message: Message,
  action: Action,
  context: Context,
): Promise<Message> {
  const result = await schema['~standard'].validate(message)
  if (result.issues !== undefined) throw invalid('LUC_MESSAGE_INVALID', 'message', result.issues, action, context)
  // The schema is the author's word on what the handler gets.
  return result.value as Message
}

async function checkReply(
  schema: StandardSchemaV1,
  reply: unknown,
  action: Action,
  context: Context,
): Promise<unknown> {
  const result = await schema['~standard'].validate(reply)
  if (result.issues !== undefined) throw invalid('LUC_REPLY_INVALID', 'reply', result.issues, action, context)
  return result.value
}

function invalid(
  code: 'LUC_MESSAGE_INVALID' | 'LUC_REPLY_INVALID',
  what: string,
  issues: readonly StandardSchemaV1.Issue[],
  action: Action,
  context: Context,
): LuciliusError {
  const found = issues.map((issue) => ({ path: pathOf(issue), message: issue.message }))
  const list = found.map(({ path, message }) => (path === '' ? message : `'${path}': ${message}`)).join('; ')
  const error = new LuciliusError(code, `The ${what} of ${describe(action)} does not fit its schema: ${list}`, {
    details: { issues: found },
  })
  const call = callOf(context)
  if (call !== undefined) call.failure = error
  return error
}

function pathOf(issue: StandardSchemaV1.Issue): string {
  const keys = (issue.path ?? []).map((part) => String(typeof part === 'object' ? part.key : part))
  return keys.join('.')
}

/** Runs a check of the framework and remembers its error as our own. */
function ours<T>(call: Call, check: () => T): T {
  try {
    return check()
  } catch (error) {
    call.failure = error as Error
    throw error
  }
}
