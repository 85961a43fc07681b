/** What a child process is to run. Travels as its argument; secrets travel in the environment. */
export interface Assignment {
  /** The folder in which the description, or `services/`, is looked for. */
  readonly cwd: string
  /** The file of the description, if it was named. */
  readonly config?: string
  /** The name of the deployment; without one, all services run in one process. */
  readonly deployment?: string
  /** The id of the process. */
  readonly process: string
  /** How many replicas groups have, where that differs from the description. */
  readonly replicas?: { readonly [group: string]: number }
  /** Parity of its app: by `NODE_ENV` unless given. */
  readonly parity?: 'strict' | 'off'
  /** Nobody else can belong to the system: it need not look for others, nor tell them where it is. */
  readonly closed?: boolean
  /** It tells what its services send. */
  readonly record?: boolean
}

/** Writes an assignment as an argument. */
export function toArgument(assignment: Assignment): string {
  return JSON.stringify(assignment)
}

/** Reads what {@link toArgument} wrote. Throws an `Error` for anything else. */
export function fromArgument(text: string | undefined): Assignment {
  const given: unknown = JSON.parse(text ?? 'null')
  if (isAssignment(given)) return given
  throw new Error('A process of a system is started by `lucilius up`: it needs to be told what to run.')
}

function isAssignment(value: unknown): value is Assignment {
  if (typeof value !== 'object' || value === null) return false
  const { cwd, process } = value as Partial<Assignment>
  return typeof cwd === 'string' && typeof process === 'string'
}
