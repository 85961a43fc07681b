/** A table of a suite, `{ head, rows }`, as Markdown. */
export function markdown({ caption, head, rows }) {
  const line = (cells) => `| ${cells.join(' | ')} |`
  return [...(caption ? [caption, ''] : []), line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

/** A figure with three digits or more. */
export function figure(x) {
  if (x === undefined || !Number.isFinite(x)) return ''
  if (Math.abs(x) >= 100) return Math.round(x).toLocaleString('en-US')
  if (Math.abs(x) >= 10) return x.toFixed(1)
  return Math.abs(x) >= 0.1 || x === 0 ? x.toFixed(2) : x.toPrecision(2)
}

/** A median with its interquartile range in brackets. */
export const spread = (s) => (s ? `${figure(s.median)} (${figure(s.iqr)})` : '')
