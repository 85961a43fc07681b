import type { SourcePlace } from './source-place.js'

/** What the main thread may ask of the hooks. Files are urls. */
export interface HookCalls {
  begin(owner: string): void
  end(seal: boolean): void
  forget(owner: string): void
  reach(owner: string): string[]
  owners(file: string): string[]
  loaded(): string[]
  refresh(files: readonly string[]): string[]
  syntaxError(): Promise<SourcePlace | undefined>
  warm(): Promise<void>
}

/** A question of the main thread. */
export interface HookQuestion {
  readonly id: number
  readonly name: keyof HookCalls
  readonly argument: unknown
}

/** What comes from the hooks: an answer, or the wish that source maps are switched on before a module is compiled. */
export type HookMessage =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: unknown }
  | { readonly wantsMaps: true }

/** What starts the hooks. */
export interface HookStart {
  readonly port: import('node:worker_threads').MessagePort
}
