import type { Transport } from '../transport.js'
import type { RollCall } from './roll-call.js'

/** The same transport, whose search is at its end only when one of each is known: what they will answer is waited for. */
export function lookingFor(transport: Transport, roll: RollCall): Transport {
  // It looks for others: that is what it was made for.
  const discover = transport.discover as NonNullable<Transport['discover']>
  return {
    ...transport,
    discover: async (finding) => {
      const discovery = await discover(finding)
      await roll.oneOfEach
      return discovery
    },
  }
}
