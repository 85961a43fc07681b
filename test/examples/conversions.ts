import type { ControlClient } from '../../lib/system/control/index.js'

const conversion = 'role:convert,cmd:amount,from:usd,to:jpy,amount:100'

/** Conversions that are asked for again and again. */
export interface Load {
  /** How many were answered. */
  answers(): number
  /** Asks for no more, and tells what those that were asked for failed with. */
  stop(): Promise<readonly string[]>
}

/** Asks for a hundred conversions a second until it is stopped. */
export function underLoad(control: ControlClient): Load {
  const running = new Set<Promise<unknown>>()
  const failures: string[] = []
  let answers = 0
  const ask = async () => {
    try {
      await control.act(conversion)
      answers++
    } catch (error) {
      failures.push(String(error))
    }
  }
  const timer = setInterval(() => {
    const call = ask().finally(() => running.delete(call))
    running.add(call)
  }, 10)
  return {
    answers: () => answers,
    stop: async () => {
      clearInterval(timer)
      await Promise.all(running)
      return failures
    },
  }
}

/** What a door answers. */
export async function yenFor(url: string): Promise<number> {
  const body = '{"role":"convert","cmd":"amount","from":"eur","to":"jpy","amount":1}'
  const answer = await fetch(`${url}/act`, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
  return ((await answer.json()) as { amount: number }).amount
}
