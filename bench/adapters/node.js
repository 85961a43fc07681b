// The floor in one process: a bare call of an async function.
import { handler } from '../lib/work.js'

export const adapter = {
  local: () => ({ call: handler }),
}
