import { harmlessText } from './harmless-text.js'

/** Lines of which the cells stand under each other, two spaces apart, without spaces at the end. */
export function columns(rows: readonly (readonly string[])[]): string[] {
  const shown = rows.map((row) => row.map(harmlessText))
  const most = Math.max(0, ...shown.map((row) => row.length))
  const widths = Array.from({ length: most }, (_, at) => Math.max(...shown.map((row) => row[at]?.length ?? 0)))
  return shown.map((row) =>
    row
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}
