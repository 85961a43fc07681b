import type { Actions } from '../dispatch/actions.js'
import type { Message } from '../message.js'
import type { Exposure } from './exposure.js'

/** An exposed action that cannot be reached, because a more specific one that is not exposed stands before it. */
export interface Hidden {
  readonly exposed: string
  readonly before: string
}

/**
 * Finds what hides an exposed action from a message that comes from outside.
 *
 * Exposure is decided on the action that would run: falling back to a wider one would let outsiders choose to go around
 * the special case.
 */
export function hiddenBy(message: Message, actions: Actions, exposure: Exposure): Hidden | undefined {
  const [first, ...wider] = actions.router.collect(message).filter((slot) => slot.local.length > 0)
  if (first === undefined || exposure.action(first.pattern)) return undefined
  const exposed = wider.find((slot) => exposure.action(slot.pattern))
  return exposed && { exposed: exposed.pattern.text, before: first.pattern.text }
}

/** Says it in words. */
export function describeHidden({ exposed, before }: Hidden): string {
  return `${before === '' ? "the catch-all ''" : before} is not exposed and stands before ${exposed}, which is: nobody outside reaches either with this message`
}
