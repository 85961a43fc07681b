// Puts contenders into processes of their own, in the roles that a suite asks for.

import { brokerOf } from './contender.js'
import { Child, freePort, startNats, startRabbit } from './processes.js'

/** Makes the stage of one suite. `onFailure` hears of every child that did not get ready. */
export function createStage(onFailure) {
  const brokers = {}

  // where a contender lives: its ports, and its broker
  async function place(contender) {
    const at = { port: await freePort() }
    const kind = brokerOf(contender)
    if (!kind) return at
    brokers[kind] ??= kind === 'nats' ? startNats() : startRabbit()
    const { port, pid } = await brokers[kind]
    return { ...at, [`${kind}Port`]: port, brokers: pid === undefined ? [] : [pid] }
  }

  // Starts one child; resolves to undefined if it does not get ready.
  async function start({ execArgv = [], ...spec }) {
    const kid = new Child(spec, execArgv)
    try {
      kid.hello = await kid.ready
      kid.readyAt = performance.now()
      return kid
    } catch (error) {
      onFailure({ contender: spec.contender, role: spec.role, error: error.message })
      await kid.kill()
      return undefined
    }
  }

  // A broker that is missing leaves its contenders out, not the suite.
  async function placed(contender) {
    try {
      return await place(contender)
    } catch (error) {
      onFailure({ contender, role: 'broker', error: error.message })
      return undefined
    }
  }

  // one child for each contender, all ready
  async function cast(contenders, role, execArgv) {
    const kids = await Promise.all(contenders.map((contender) => start({ role, contender, execArgv })))
    return kids.filter(Boolean)
  }

  // a server and a client process for each contender
  async function pairs(contenders) {
    const ready = []
    for (const contender of contenders) {
      const at = await placed(contender)
      const server = at && (await start({ role: 'server', contender, ...at }))
      const client = server && (await start({ role: 'client', contender, ...at }))
      if (client) ready.push({ contender, server, client, brokers: at.brokers ?? [] })
      else await server?.kill()
    }
    return ready
  }

  // Ends the brokers; the children are the suite's.
  async function close() {
    for (const starting of Object.values(brokers)) await (await starting.catch(() => undefined))?.stop()
  }

  return { start, placed, cast, pairs, close }
}

/** The list of one round: every other round runs backwards, so that nobody always follows the same neighbour. */
export const inTurn = (list, round) => (round % 2 ? [...list].reverse() : list)
