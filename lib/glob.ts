const star = 42 // '*'
const mark = 63 // '?'

/** Tells whether a pattern value holds `*` (any run of characters) or `?` (one UTF-16 code unit). There is no escape. */
export function isGlob(value: string): boolean {
  return value.includes('*') || value.includes('?')
}

/** Writes each run of stars as one star, which is what it means. */
export function collapseStars(value: string): string {
  return value.replace(/\*{2,}/g, '*')
}

/** The number of characters of a glob that stand for themselves. */
export function literalLength(glob: string): number {
  let length = 0
  for (let at = 0; at < glob.length; at++) {
    const unit = glob.charCodeAt(at)
    if (unit !== star && unit !== mark) length++
  }
  return length
}

/**
 * Tells whether a glob matches a text.
 *
 * Two pointers and no regular expression: after a mismatch only the last star takes one character more, so the time is
 * bounded by the length of the text times that of the glob, whatever both hold.
 */
export function globMatches(glob: string, text: string): boolean {
  return match(glob, text, false)
}

/** Tells whether a glob matches everything that another value matches: its `*` only by `*`, its `?` by `*` or `?`. */
export function globCovers(glob: string, value: string): boolean {
  return match(glob, value, true)
}

function match(glob: string, text: string, starsOnlyByStars: boolean): boolean {
  let at = 0
  let to = 0
  let afterStar = -1
  let resume = 0
  while (to < text.length) {
    const want = at < glob.length ? glob.charCodeAt(at) : -1
    const have = text.charCodeAt(to)
    if (want === star) {
      if (at + 1 === glob.length) return true
      afterStar = ++at
      resume = to
    } else if (want === mark ? !(starsOnlyByStars && have === star) : want === have) {
      at++
      to++
    } else if (afterStar >= 0) {
      at = afterStar
      to = ++resume
    } else {
      return false
    }
  }
  while (at < glob.length && glob.charCodeAt(at) === star) at++
  return at === glob.length
}
