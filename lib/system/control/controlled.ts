import type { App } from '../../app.js'
import type { PeerInfo } from '../../handler.js'
import type { LookOn } from '../passing.js'
import type { AskStore } from '../store-questions.js'
import type { About } from './protocol.js'

/** What a control socket gives access to. */
export interface Controlled {
  /** Acts as nobody in particular: whoever may open the socket is the user who runs it all. */
  readonly app: Pick<App, 'act' | 'list' | 'explain'>
  /** What runs, at the moment of the question. */
  about(): Pick<About, 'name' | 'deployment' | 'processes'>
  /** Answers what is asked of the store of what runs; absent where there is none. */
  readonly store?: AskStore
  /** Tells what passes in the processes of what runs. */
  readonly lookOn?: LookOn
  /** The id of the process in which an act is done: this one, or a peer's. A peer that it does not know has its name. */
  processOf?(where: PeerInfo | 'here'): string | undefined
}
