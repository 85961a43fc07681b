// Kinds of pattern tables for the look-up suite. `pattern(i)` is the i-th pattern; `ask(i)` is a message and which
// pattern must answer it, without it the i-th pattern is the message.

const pair = (i) => ({ role: `r${Math.floor(i / 10)}`, cmd: `c${i % 10}` })
const KEYS = 10

export const tables = {
  // role and cmd, ten commands to a role: the usual style
  pair: { pattern: pair },

  // every ten patterns bring a key name of their own, as plugins of many authors do
  keys: { pattern: (i) => ({ [`k${Math.floor(i / 10)}`]: 'x', cmd: `c${i % 10}` }) },

  // general patterns and a special case of each, so that look-ups fall back
  special: {
    pattern: (i) => ({ role: `r${i >> 1}`, cmd: 'c', ...(i % 2 ? { region: 'ie' } : {}) }),
  },

  // what a grown system has, 255 patterns: 200 pairs, 30 special cases, 15 with a key of their own, 10 globs
  mix: {
    globs: true,
    pattern: mixed,
    ask: (i) => ({ message: i < 245 ? mixed(i) : { ...mixed(i), cmd: 'get-rates' }, want: i }),
  },

  // Worst case: 1,023 patterns, one for each set of 10 keys; the message has all keys, only the last pattern fits.
  sets: {
    pattern: (i) => Object.fromEntries(keysOf(i + 1).map((key) => [key, 'x'])),
    ask: () => ({
      message: { ...Object.fromEntries(keysOf(2 ** KEYS - 1).map((key) => [key, 'y'])), [`k${KEYS - 1}`]: 'x' },
      want: 2 ** (KEYS - 1) - 1,
    }),
  },

  // Worst case: 1,000 globs under one value, all equally specific; the one that sorts last fits.
  globs: {
    globs: true,
    pattern: (i) => ({ role: 'r', cmd: `c${String(i).padStart(4, '0')}-*` }),
    ask: (_, count) => ({ message: { role: 'r', cmd: `c${String(count - 1).padStart(4, '0')}-x` }, want: count - 1 }),
  },
}

function mixed(i) {
  if (i < 200) return pair(i)
  if (i < 230) return { role: `r${(i - 200) % 20}`, cmd: i < 220 ? 'c0' : 'c1', region: 'ie' }
  if (i < 245) return { plugin: `p${i - 230}`, cmd: 'status' }
  return { role: `r${i - 245}`, cmd: 'get-*' }
}

// the keys whose bits are set in a number
function keysOf(bits) {
  return Array.from({ length: KEYS }, (_, k) => k)
    .filter((k) => bits & (1 << k))
    .map((k) => `k${k}`)
}

/** 1,024 messages of `width` properties, spread over a table, each with the pattern that must answer it. */
export function questions({ kind, patterns, width }) {
  const { pattern, ask = (i) => ({ message: pattern(i), want: i }) } = tables[kind]
  return Array.from({ length: 1024 }, (_, j) => {
    const { message, want } = ask(Math.floor(((j * 0.6180339887) % 1) * patterns), patterns)
    const wide = { ...message }
    for (let w = Object.keys(message).length; w < width; w++) wide[`data${w}`] = w
    return { message: JSON.parse(JSON.stringify(wide)), want } // as it would come off a wire
  })
}
