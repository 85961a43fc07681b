import { figure, spread } from './table.js'

// Half the interquartile range is allowed, since a median of few rounds is not known more exactly than that. A range
// wider than this part of the median allows too much: what only the allowance saves is then not decided.
const NOISY = 0.25

/**
 * Judges measurements, `{ label: summary }`, against a bound that all of them must hold.
 * The goal is met, missed or, on a machine that was too busy to tell, unclear.
 */
export function judge(what, { atLeast, atMost, unit = '' }, measured) {
  const found = Object.entries(measured).filter(([, s]) => s)
  const short = (s) => (atLeast === undefined ? s.median - atMost : atLeast - s.median)
  const verdicts = found.map(([, s]) => {
    if (short(s) <= 0) return 'met'
    if (short(s) > s.iqr / 2) return 'missed'
    return s.iqr > NOISY * Math.abs(s.median) ? 'unclear' : 'met'
  })
  const verdict = ['missed', 'unclear', 'met'].find((word) => verdicts.includes(word)) ?? 'missed'
  const bound = atLeast === undefined ? `at most ${figure(atMost)}` : `at least ${figure(atLeast)}`
  const seen = found.map(([label, s]) => `${spread(s)} ${label}`.trim()).join(', ') || 'not measured'
  return { verdict, text: `goal ${verdict}: ${what} ${bound}${unit}: ${seen}` }
}
