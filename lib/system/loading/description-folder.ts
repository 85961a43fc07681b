import { dirname } from 'node:path'
import type { Loaded } from './load-system.js'

/** The folder of the description, by which commands find what runs; paths of modules may be relative to another one. */
export function descriptionFolder({ file, folder }: Pick<Loaded, 'file' | 'folder'>): string {
  return file === undefined ? folder : dirname(file)
}
