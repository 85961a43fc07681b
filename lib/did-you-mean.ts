import { nearest } from './nearest.js'

/** What follows "there is no such thing:" in a message: the known word that was most likely meant, else all there are. */
export function didYouMean(word: string, known: Iterable<string>): string {
  const all = [...known]
  const [near] = nearest(word, all)
  if (near !== undefined) return `did you mean '${near}'?`
  if (all.length === 0) return 'there is none.'
  return `there ${all.length === 1 ? 'is' : 'are'} ${all.join(', ')}`
}
