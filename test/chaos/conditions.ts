/** What the services have to know of a run. */
export interface Conditions {
  /** Where they write down what they do, and what became of calls. */
  readonly folder: string
  /** How long each call takes follows from it. */
  readonly seed: number
  /** Second tries that every second earns; what they are unless set, if not given. */
  readonly retries?: number | undefined
}

/** The variables by which processes are told. */
export function toVariables({ folder, seed, retries }: Conditions): { readonly [name: string]: string } {
  return { CHAOS_FOLDER: folder, CHAOS_SEED: String(seed), CHAOS_RETRIES: retries === undefined ? '' : String(retries) }
}

/** Reads what {@link toVariables} wrote. */
export function conditions({ CHAOS_FOLDER, CHAOS_SEED, CHAOS_RETRIES }: NodeJS.ProcessEnv = process.env): Conditions {
  return {
    folder: CHAOS_FOLDER ?? '.',
    seed: Number(CHAOS_SEED ?? 1),
    ...(CHAOS_RETRIES ? { retries: Number(CHAOS_RETRIES) } : {}),
  }
}
