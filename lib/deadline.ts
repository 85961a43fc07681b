/**
 * One coarse clock for every deadline of the process.
 *
 * A `setTimeout` per call costs ten times as much as the rest of its bookkeeping, so calls stand in linked lists that one
 * timer walks every 20 ms. A call that settles within a tick is only linked and unlinked: not even the time is read.
 * A deadline never fires early, and at most 50 ms late while the event loop is free (`npm run bench -- local` measures
 * the cost).
 */

/** Milliseconds between two looks at the deadlines. */
const TICK_MS = 20

/** Something that waits for at most `timeoutMs` milliseconds; the lists are threaded through its last three fields. */
export interface Waiting {
  readonly timeoutMs: number
  /** Called once when the time is up; the entry is out of the lists by then. */
  expire(): void
  /** Moment on the monotonic clock (ms), 0 while it has not been read yet. */
  expiresAt: number
  before: Waiting | undefined
  after: Waiting | undefined
}

class List implements Waiting {
  readonly timeoutMs = 0
  expiresAt = 0
  before: Waiting | undefined = this
  after: Waiting | undefined = this
  expire(): void {}
}

/** Entries of the current tick: their moment is fixed at the next one, which can only make it later. */
const fresh = new List()
/** Older entries by the tick in which their moment falls. */
const buckets = new Map<number, List>()
let waiting = 0
let lastTick = 0
let lastTickAt = 0
let ticking = false

/** Starts the wait of an entry. It ends with {@link settleDeadline} or with `entry.expire()`. */
export function startDeadline(entry: Waiting): void {
  waiting++
  link(fresh, entry)
  if (!ticking) startTicking()
}

/** Ends the wait of an entry. Harmless when it is over already. */
export function settleDeadline(entry: Waiting): void {
  if (entry.after === undefined) return
  waiting--
  unlink(entry)
  // What is left is asked later too, for acts of a handler that goes on. Reading the time costs more than all the rest.
  if (entry.expiresAt === 0) entry.expiresAt = lastTickAt + TICK_MS + entry.timeoutMs
}

/** Milliseconds that an entry still has, as far as the coarse clock knows; 0 when its time is up. */
export function remainingMs(entry: Waiting): number {
  if (entry.expiresAt === 0) return entry.timeoutMs
  return Math.max(0, entry.expiresAt - performance.now())
}

function link(list: List, entry: Waiting): void {
  // A list is a ring through its own head, so its neighbours always exist.
  const last = list.before as Waiting
  entry.before = last
  entry.after = list
  last.after = entry
  list.before = entry
}

function unlink(entry: Waiting): void {
  // Only entries that are linked come here.
  const { before, after } = entry as { before: Waiting; after: Waiting }
  before.after = after
  after.before = before
  entry.before = undefined
  entry.after = undefined
}

function startTicking(): void {
  ticking = true
  lastTickAt = performance.now()
  lastTick = tickOf(lastTickAt)
  setTimeout(tick, TICK_MS)
}

function tick(): void {
  const now = performance.now()
  lastTickAt = now
  try {
    expireUntil(now)
    settleFresh(now)
  } finally {
    // Whatever an expiry throws, the clock of the process goes on.
    if (waiting > 0) setTimeout(tick, TICK_MS)
    else stopTicking()
  }
}

function stopTicking(): void {
  ticking = false
  buckets.clear()
}

function expireUntil(now: number): void {
  const current = tickOf(now)
  for (let index = lastTick; index <= current; index++) {
    const list = buckets.get(index)
    if (list === undefined) continue
    each(list, (entry) => {
      if (entry.expiresAt > now) return
      settleDeadline(entry)
      entry.expire()
    })
    if (list.after === list) buckets.delete(index)
  }
  lastTick = current
}

function settleFresh(now: number): void {
  each(fresh, (entry) => {
    unlink(entry)
    entry.expiresAt = now + entry.timeoutMs
    const index = tickOf(entry.expiresAt)
    let list = buckets.get(index)
    if (list === undefined) {
      list = new List()
      buckets.set(index, list)
    }
    link(list, entry)
  })
}

/** Visits the entries that stand in the list now; a visit may unlink others, so it always starts again at the head. */
function each(list: List, visit: (entry: Waiting) => void): void {
  let entry = list.after as Waiting
  while (entry !== list) {
    const next = entry.after as Waiting
    visit(entry)
    // An expiry settles its nested calls too: when the next entry has gone meanwhile, begin again.
    entry = next.after === undefined ? (list.after as Waiting) : next
  }
}

function tickOf(time: number): number {
  return Math.floor(time / TICK_MS)
}

/** Visits everything that waits. */
export function forEachWaiting(visit: (entry: Waiting) => void): void {
  each(fresh, visit)
  for (const list of buckets.values()) each(list, visit)
}
