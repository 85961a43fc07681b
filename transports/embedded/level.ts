import { LuciliusError } from '../../lib/transport-kit.js'
import type { Database } from './keys.js'

/** Makes a database that is not open yet. Throws `LUC_OPTIONS_INVALID` if the package is not installed. */
export async function makeDatabase(path: string): Promise<Database> {
  const { ClassicLevel } = await load()
  return new ClassicLevel<string, string>(path)
}

async function load(): Promise<typeof import('classic-level')> {
  try {
    return await import('classic-level')
  } catch (cause) {
    const text = "embedded: the package 'classic-level' is needed and cannot be loaded: npm install classic-level"
    throw new LuciliusError('LUC_OPTIONS_INVALID', text, { cause })
  }
}
