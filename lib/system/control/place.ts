import { createHash } from 'node:crypto'
import { lstat, mkdir, realpath } from 'node:fs/promises'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { LuciliusError } from '../../errors.js'

/** Bytes of a path that every system takes for a Unix domain socket: 103 on macOS, 107 on Linux. */
const LONGEST_PATH = 103

/** Characters of what runs that stand in the name of a socket. */
const LONGEST_WHAT = 40

/** What a control socket belongs to. */
export interface ControlPlace {
  /** The folder of the system. */
  readonly folder: string
  /** What runs: `dev`, `up-split`, `start-split-convert.1`. */
  readonly what: string
  /** Where sockets are. Undefined: `LUCILIUS_RUN_DIR` says it, else where this user's usually are. */
  readonly runDir?: string | undefined
}

/** The folders in which sockets may be, the preferred one first. */
export function runFolders(runDir = process.env.LUCILIUS_RUN_DIR): readonly string[] {
  if (runDir) return [runDir]
  const { XDG_RUNTIME_DIR: runtime } = process.env
  const own = `lucilius-${process.getuid?.() ?? userInfo().username}`
  const folders = [join(tmpdir(), own), join('/tmp', own)]
  return [...new Set(runtime ? [join(runtime, 'lucilius'), ...folders] : folders)]
}

/** What the names of the sockets of a system begin with. */
export async function socketPrefix(folder: string): Promise<string> {
  const place = await realpath(folder).catch(() => folder)
  return createHash('sha256').update(place).digest('hex').slice(0, 12)
}

/** A path for a new socket, in a folder that nobody else may enter. Rejects with `LUC_LISTEN_FAILED`. */
export async function newSocketPath({ folder, what, runDir }: ControlPlace): Promise<string> {
  const plain = what.replaceAll(/[^\w.-]/g, '_').slice(0, LONGEST_WHAT)
  const name = `${await socketPrefix(folder)}-${plain}-${process.pid}.sock`
  let problem = ''
  for (const place of runFolders(runDir)) {
    const path = join(place, name)
    problem = Buffer.byteLength(path) > LONGEST_PATH ? tooLong(path) : await makeOwn(place)
    if (problem === '') return path
  }
  throw new LuciliusError('LUC_LISTEN_FAILED', `No control socket: ${problem}`)
}

/** Says what speaks against a folder of sockets: it has to be this user's, and closed to all others. */
export async function speaksAgainst(place: string): Promise<string> {
  try {
    const found = await lstat(place)
    if (!found.isDirectory()) return `${place} is no folder.`
    if (!isOwn(found)) return `${place} belongs to another user.`
    if ((found.mode & 0o077) !== 0) return `${place} is open to other users: chmod 700 ${place}`
    return ''
  } catch (error) {
    return `${place} cannot be used (${(error as NodeJS.ErrnoException).code}).`
  }
}

/** Whether a file belongs to the user of this process. */
export function isOwn({ uid }: { readonly uid: number }): boolean {
  return process.getuid === undefined || uid === process.getuid()
}

async function makeOwn(place: string): Promise<string> {
  // What keeps it from being made is found by the look at it.
  await mkdir(place, { recursive: true, mode: 0o700 }).catch(() => {})
  return speaksAgainst(place)
}

function tooLong(path: string): string {
  return `${path} has more than ${LONGEST_PATH} bytes: set LUCILIUS_RUN_DIR to a folder with a shorter path.`
}
