/** What fits on a screen, and what does not. */
export interface Folded {
  readonly shown: readonly string[]
  readonly rest: readonly string[]
  /** How many lines of the screen the rest takes. */
  readonly left: number
}

/** Folds lines to the size of a screen. A line that is wider than it takes several, and may be cut where one ends. */
export function fold(lines: readonly string[], columns: number, rows: number): Folded {
  const shown: string[] = []
  let room = Math.max(1, rows)
  for (const [at, line] of lines.entries()) {
    const pieces = cutToWidth(line, columns)
    if (pieces.length <= room) {
      shown.push(line)
      room -= pieces.length
      continue
    }
    if (room > 0) shown.push(pieces.slice(0, room).join(''))
    const rest = [pieces.slice(room).join(''), ...lines.slice(at + 1)]
    const left = rest.reduce((sum, one) => sum + cutToWidth(one, columns).length, 0)
    return { shown, rest, left }
  }
  return { shown, rest: [], left: 0 }
}

/** A line in pieces that a screen shows in one row each. */
function cutToWidth(line: string, columns: number): string[] {
  const most = Math.max(2, columns)
  const pieces: string[] = []
  let piece = ''
  let width = 0
  for (const character of line) {
    const own = widthOf(character)
    if (width + own > most) {
      pieces.push(piece)
      piece = ''
      width = 0
    }
    piece += character
    width += own
  }
  return [...pieces, piece]
}

/** Columns that terminals give a character: marks none, ideographs and emoji two. */
function widthOf(character: string): number {
  if (character < '\u0300') return 1
  if (/\p{M}/u.test(character)) return 0
  const isWide = /[\p{sc=Han}\p{sc=Hangul}\p{sc=Hiragana}\p{sc=Katakana}\p{Emoji_Presentation}\uff01-\uff60]/u
  return isWide.test(character) ? 2 : 1
}
