import type { Io } from './io.js'

/** A command: what was written after its name, its options, and the world around it. Gives the exit code. */
export type Run = (args: readonly string[], options: never, io: Io) => Promise<number>

/** The code of each command, loaded when it runs: `lucilius act` does not wait for what only `dev` needs. */
export const commands = {
  new: async (): Promise<Run> => (await import('./commands/new.js')).create,
  dev: async (): Promise<Run> => (await import('./commands/dev.js')).dev,
  up: async (): Promise<Run> => (await import('./commands/up.js')).up,
  start: async (): Promise<Run> => (await import('./commands/start.js')).start,
  plan: async (): Promise<Run> => (await import('./commands/plan.js')).plan,
  export: async (): Promise<Run> => (await import('./commands/export.js')).exportTo,
  act: async (): Promise<Run> => (await import('./commands/act.js')).act,
  list: async (): Promise<Run> => (await import('./commands/list.js')).list,
  explain: async (): Promise<Run> => (await import('./commands/explain.js')).explain,
  repl: async (): Promise<Run> => (await import('./commands/repl.js')).repl,
  events: async (): Promise<Run> => (await import('./commands/events.js')).events,
  'events dead': async (): Promise<Run> => (await import('./commands/events/dead.js')).dead,
  'events show': async (): Promise<Run> => (await import('./commands/events/show.js')).show,
  'events replay': async (): Promise<Run> => (await import('./commands/events/replay.js')).replay,
  'events drop': async (): Promise<Run> => (await import('./commands/events/drop.js')).drop,
  'events remove': async (): Promise<Run> => (await import('./commands/events/remove.js')).remove,
}

/** The name of a command; `events dead` is one of those of `events`. */
export type CommandName = keyof typeof commands
