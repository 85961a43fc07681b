import type { Logger } from '../../lib/logger.js'
import type { Looking } from '../../lib/system/discovery/provider.js'

/** What a provider is asked, and what it has told. */
export interface Heard {
  readonly looking: Looking
  /** All that was told of a group, the oldest first. Addresses are sorted. */
  told(group?: string): readonly (readonly string[])[]
  /** Of which addresses there was a new sign, at each time that a group was told of. */
  signs(group?: string): readonly (readonly string[])[]
  /** The lines that it has logged, with their levels before them. */
  readonly lines: readonly string[]
  /** Waits until what was logged is so. */
  logs(holds: (lines: readonly string[]) => boolean): Promise<void>
  /** Waits until the last that was told of a group are these addresses. */
  knows(urls: readonly string[], group?: string): Promise<void>
  /** Waits until something is told again. */
  news(group?: string): Promise<void>
}

/** Asks for groups, `rates` unless others are given, and keeps what is told. */
export function heard(self: Partial<Looking['self']> = {}, groups: readonly string[] = ['rates']): Heard {
  const all = new Map<string, string[][]>()
  const fresh = new Map<string, string[][]>()
  const lines: string[] = []
  const told = (group = 'rates') => all.get(group) ?? []
  const signs = (group = 'rates') => fresh.get(group) ?? []
  const waiting = new Set<() => void>()
  const look = () => {
    for (const one of waiting) one()
  }
  const line = (level: string) => (facts: unknown, text?: string) => {
    lines.push(`${level}: ${text ?? facts}`)
    look()
  }
  const log: Logger = {
    ...{ trace: line('trace'), debug: line('debug'), info: line('info') },
    ...{ warn: line('warn'), error: line('error'), fatal: line('fatal') },
    child: () => log,
  }
  const found = (group: string, urls: readonly string[], seen: readonly string[]) => {
    all.set(group, [...told(group), [...urls].sort()])
    fresh.set(group, [...signs(group), [...seen].sort()])
    look()
  }
  const until = (holds: () => boolean, what: string) =>
    new Promise<void>((resolve, reject) => {
      const failed = () => reject(new Error(`Nobody tells ${what}: ${JSON.stringify([...all])}`))
      const timer = setTimeout(failed, 10_000)
      const one = () => {
        if (!holds()) return
        clearTimeout(timer)
        waiting.delete(one)
        resolve()
      }
      waiting.add(one)
      one()
    })
  return {
    looking: {
      groups,
      self: { group: 'rates', instance: 'one', url: 'ws://127.0.0.1:7001/ws', ...self },
      found,
      log,
    },
    told,
    signs,
    lines,
    logs: (holds) => until(() => holds(lines), `a line: ${lines.join(', ')}`),
    knows: (urls, group) => {
      const expected = JSON.stringify([...urls].sort())
      return until(() => JSON.stringify(told(group).at(-1)) === expected, expected)
    },
    news: (group) => {
      const before = told(group).length
      return until(() => told(group).length > before, 'anything')
    },
  }
}
