const around = 2 // lines above and below
const widest = 160 // characters of a line

/**
 * The lines around a place in a source, numbered, with a caret under the column; plain text. Lines and columns count
 * from 1. Undefined if the source has no such line.
 */
export function codeFrame(source: string, line: number, column: number): string | undefined {
  const lines = source.split(/\r?\n/)
  if (line < 1 || line > lines.length) return undefined
  const first = Math.max(1, line - around)
  const shown = lines.slice(first - 1, line + around)
  const digits = String(first + shown.length - 1).length
  const rows = shown.flatMap((text, i) => {
    const number = first + i
    const row = `${number === line ? '>' : ' '} ${String(number).padStart(digits)} | ${text.slice(0, widest)}`.trimEnd()
    return number === line && column <= widest ? [row, caret(text, column, digits)] : [row]
  })
  return rows.join('\n')
}

function caret(text: string, column: number, digits: number): string {
  // Tabs stay tabs, so that the caret stands right however wide they are shown.
  const before = text
    .slice(0, column - 1)
    .padEnd(column - 1)
    .replaceAll(/[^\t]/g, ' ')
  return `  ${' '.repeat(digits)} | ${before}^`
}
