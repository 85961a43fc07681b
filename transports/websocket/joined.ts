import { eventTexts, type PlainEvent } from './table.js'

/** What waits to be sent: a message as text, or an event that may stand in a table with others. */
export type Item = string | PlainEvent

/** The longest frame that is remembered. */
const REMEMBERED_CHARS = 65_536

const openBracket = 0x5b

let lastItems: readonly Item[] = []
let lastFrame = ''

/** The text of a frame. What is broadcast goes to one socket after the other in the same frames: made once. */
export function frameText(items: readonly Item[]): string {
  if (items.length === lastItems.length && items.every(isLast)) return lastFrame
  const joined = items.every(isWritten) ? items.join() : textsOf(items).join()
  // A row that stands alone would be taken for an array of messages.
  const frame = items.length === 1 && joined.charCodeAt(0) !== openBracket ? joined : `[${joined}]`
  if (frame.length > REMEMBERED_CHARS) return frame
  lastItems = items
  lastFrame = frame
  return frame
}

function isLast(item: Item, index: number): boolean {
  return item === lastItems[index]
}

function isWritten(item: Item): boolean {
  return typeof item === 'string'
}

/** The texts of a frame in the order of its items. */
function textsOf(items: readonly Item[]): string[] {
  const texts: string[] = []
  let events: PlainEvent[] = []
  for (const item of items) {
    if (typeof item !== 'string') {
      events.push(item)
      continue
    }
    texts.push(...eventTexts(events), item)
    events = []
  }
  return [...texts, ...eventTexts(events)]
}
