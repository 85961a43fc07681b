/**
 * What a file of tests did: a line for the file, the facts of each failure, and how many passed.
 *
 * What is counted are tests: what stands at the top of a test file, `t.test(title, …)` as a rule, each a promise to
 * the user; not the assertions in it. A file that crashes, hangs or holds no test counts as one failed test; a test
 * marked `todo` counts as skipped.
 */

/** Watches a parser of TAP. What it returns is called when the file has ended, with how and after how many seconds. */
export function fileReport(parser, file) {
  const results = []
  parser.on('assert', (test) => results.push(test))
  const failures = watch(parser, '')
  return (end, endedWell, seconds) => {
    const failed = results.filter(isFailure)
    const skipped = results.filter((test) => test.skip || test.todo)
    const broken = failed.length === 0 && (!endedWell || !parser.ok || results.length === 0)
    const source = file.replace(/^build\//, '').replace(/\.js$/, '.ts')
    const lines = [`${broken || failed.length > 0 ? '✗' : '✓'} ${source} (${results.length}), ${seconds.toFixed(1)} s`]
    for (const test of skipped) lines.push(`  - ${test.name}${reason(test)}`)
    for (const { path, diag } of failures) lines.push(...failureLines(path, diag))
    if (broken) lines.push(...failureLines('the file holds no test, ended early or hung', { end }))
    return {
      text: lines.join('\n'),
      passed: results.length - failed.length - skipped.length,
      failed: broken ? 1 : failed.length,
      skipped: skipped.length,
    }
  }
}

const isFailure = (result) => !result.ok && !result.skip && !result.todo

function reason({ skip, todo }) {
  const why = skip || todo
  return typeof why === 'string' ? `: ${why}` : ''
}

/**
 * Collects the innermost failures below a parser, an outer one only repeats that something within failed,
 * and passes on what the tests print.
 */
function watch(parser, path) {
  const failures = []
  const inner = new Map()
  parser.on('extra', (text) => process.stdout.write(text))
  parser.on('child', (child) => inner.set(child.name, watch(child, `${path}${child.name} > `)))
  parser.on('assert', (result) => {
    if (!isFailure(result)) return
    const within = inner.get(result.name) ?? []
    failures.push(...(within.length > 0 ? within : [{ path: `${path}${result.name}`, diag: result.diag }]))
  })
  return failures
}

function failureLines(path, diag) {
  return [`  ✗ ${path}`, ...(diag ? [describe(diag).replaceAll(/^/gm, '      ')] : [])]
}

/** The facts of a failure, the most telling first. */
function describe({ source, diff, at, stack, ...others }) {
  const place = at?.fileName && `at ${at.fileName}:${at.lineNumber}`
  const facts = Object.entries(others).map(([key, value]) => `${key}: ${JSON.stringify(value)}`)
  return [source?.trimEnd(), diff?.trimEnd(), ...facts, stack?.trimEnd() ?? place].filter(Boolean).join('\n')
}
