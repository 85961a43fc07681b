import t from 'tap'
import { MemoryStore } from '../support/memory-store.js'
import { storeSuite } from './store-suite.js'

// What other tests of durable events stand on keeps the contract itself.
storeSuite(t, {
  name: 'memory',
  recoversMs: 100,
  place: async () => {
    const memory = new MemoryStore()
    return {
      open: async (host) => {
        const store = await memory.openStore(host)
        const handle = memory.handles.at(-1)
        return { store, crash: async () => handle?.crash() }
      },
    }
  },
  lacks: { outage: 'it is never away' },
})
