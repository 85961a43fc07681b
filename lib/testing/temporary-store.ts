import { randomUUID } from 'node:crypto'
import { rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { EventStore } from '../store.js'
import { embeddedStore } from '../system/embedded-store.js'

/** A store for one test: all apps of it share it, and nothing of it is left. A system without durable events makes none. */
export function temporaryStore(): { readonly store: EventStore; remove(): void } {
  const path = join(tmpdir(), `lucilius-test-${randomUUID()}`)
  return { store: embeddedStore(path, { sync: false }), remove: () => rmSync(path, { recursive: true, force: true }) }
}
