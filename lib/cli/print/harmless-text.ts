import { escapeCharacter } from '../../scalars.js'

/** Text as it may stand on a terminal: control characters, escape sequences and what turns text around are escaped. */
export function harmlessText(text: string): string {
  return text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, escapeCharacter)
}

/** The same in one line: a line end and the space around it become one space. */
export function oneLine(text: string): string {
  return harmlessText(text.trim().replace(/\s*[\r\n]+\s*/g, ' '))
}
