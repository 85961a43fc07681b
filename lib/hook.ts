import { LuciliusError } from './errors.js'

/** Milliseconds that one set-up or hook may take. */
export const HOOK_TIMEOUT_MS = 10_000

/** A function that a plugin left to be called later. */
export type Hook = () => unknown

const TOO_SLOW = new Error('too slow')

/** Runs a hook for as long as one may take. */
export async function runHook(hook: Hook): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  try {
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(reject, HOOK_TIMEOUT_MS, TOO_SLOW)
    })
    await Promise.race([hook(), late])
  } finally {
    clearTimeout(timer)
  }
}

/** The error for a plugin of which `what` failed or took too long. */
export function failed(name: string, what: string, error: unknown): LuciliusError {
  const why = wasTooSlow(error)
    ? `took more than ${HOOK_TIMEOUT_MS} ms. Set-up only registers; whatever waits belongs in onReady, and long work must not be awaited there`
    : `failed: ${thrownError(error).message}`
  return new LuciliusError('LUC_PLUGIN_FAILED', `Plugin '${name}': ${what} ${why}`, { cause: error })
}

/** Whether the cause of such an error is that it took too long. */
export function wasTooSlow(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code
  return code === 'AVV_ERR_PLUGIN_EXEC_TIMEOUT' || code === 'AVV_ERR_READY_TIMEOUT' || error === TOO_SLOW
}

/** What was thrown, made an error if it was none. */
export function thrownError(thrown: unknown): Error {
  if (thrown instanceof Error) return thrown
  try {
    return new Error(String(thrown))
  } catch (cause) {
    return new Error('something without a text was thrown', { cause })
  }
}
