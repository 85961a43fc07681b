import { readFileSync } from 'node:fs'
import { sharedSecret } from '../auth.js'
import { LuciliusError } from '../errors.js'
import { environmentTable } from './environment-table.js'

/** Variables of a process. */
export type Variables = { readonly [name: string]: string | undefined }

/**
 * The secret that the processes of a system share: `LUCILIUS_SECRET`, or what stands in the file that
 * `LUCILIUS_SECRET_FILE` names. Undefined if neither is set. White space at the end of a file does not count.
 *
 * Throws `LUC_OPTIONS_INVALID` for two that differ, a file that cannot be read, and a secret that is too short or has
 * spaces. No message holds the secret.
 */
export function readSecret({ LUCILIUS_SECRET: plain, LUCILIUS_SECRET_FILE: file }: Variables): string | undefined {
  const secret = plain === undefined ? undefined : checked(plain, 'LUCILIUS_SECRET')
  const filed = file === undefined ? undefined : checked(contentOf(file).trimEnd(), 'LUCILIUS_SECRET_FILE')
  if (secret === undefined || filed === undefined || secret === filed) return secret ?? filed
  throw invalid('LUCILIUS_SECRET and LUCILIUS_SECRET_FILE give two secrets: set one of them.')
}

/** Takes secrets out of the variables of this process, once they were read: what services start has no need of them. */
export function forgetSecrets(): void {
  for (const { name, isSecret } of environmentTable) if (isSecret) delete process.env[name]
}

function contentOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    const { code = 'unreadable' } = cause as NodeJS.ErrnoException
    throw invalid(`LUCILIUS_SECRET_FILE: the file '${file}' cannot be read (${code}).`, cause)
  }
}

function checked(secret: string, variable: string): string {
  try {
    sharedSecret(secret)
    return secret
  } catch {
    // Its own message does not say which variable it is.
    const rule = 'a secret has at least 16 printable characters and no space'
    throw invalid(`${variable}: ${rule}. Make one: openssl rand -base64 32`)
  }
}

function invalid(message: string, cause?: unknown): LuciliusError {
  return new LuciliusError('LUC_OPTIONS_INVALID', message, cause === undefined ? {} : { cause })
}
