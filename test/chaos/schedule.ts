import { setTimeout as pause } from 'node:timers/promises'
import { type Chance, shuffled } from '../faults/chance.js'
import type { Subject } from './subject.js'

/** A process was ended, and another one took its place. */
export interface Hit {
  readonly id: string
  /** Milliseconds until the other one was ready. */
  readonly recoveredMs: number
}

/** Whose calls are counted: killed, it would take what became of them with it. */
const CALLER = 'ask'

/** `kill -9` of a process at each interval, each but the caller once in an order of its own, round for round. */
export async function killAll(
  subject: Subject,
  chance: Chance,
  { seconds, everyMs }: { readonly seconds: number; readonly everyMs: number },
): Promise<Hit[]> {
  const hits: Promise<Hit>[] = []
  const count = Math.max(Math.floor((seconds * 1000) / everyMs), 1)
  const targets = subject.ids.filter((id) => id !== CALLER)
  let round: string[] = []
  for (let nr = 0; nr < count; nr++) {
    await pause(everyMs)
    if (round.length === 0) round = shuffled(targets, chance)
    const id = round.pop() as string // A system has processes.
    hits.push(hit(subject, id, (pid) => void process.kill(pid, 'SIGKILL')))
    // Who has not come back cannot be killed again; nobody waits on it but the next round.
    if (round.length === 0) await Promise.all(hits)
  }
  return Promise.all(hits)
}

/** Replaces each process in order, then all by one signal where there is one. */
export async function rollAll(subject: Subject, chance: Chance, restMs: number): Promise<Hit[]> {
  const hits: Hit[] = []
  for (const id of shuffled(subject.ids, chance)) {
    await pause(restMs)
    hits.push(await hit(subject, id, () => subject.roll(id)))
  }
  await pause(restMs)
  await subject.rollAll?.()
  await pause(restMs)
  return hits
}

async function hit(subject: Subject, id: string, end: (pid: number) => void): Promise<Hit> {
  const [pid, from] = [subject.pidOf(id), performance.now()]
  end(pid)
  await subject.replaced(id, pid)
  return { id, recoveredMs: performance.now() - from }
}
