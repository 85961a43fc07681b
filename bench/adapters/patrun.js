import { Patrun } from 'patrun'
import { routed } from '../lib/work.js'

export const adapter = {
  index: ({ globs }) => new Patrun({ gex: globs }),
  local: ({ patterns }) => routed(new Patrun(), patterns),
}
