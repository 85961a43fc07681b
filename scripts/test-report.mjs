/**
 * Prints what a run of tap did, a line for each file and the facts of each failure, and counts.
 *
 * What is counted are tests: what stands at the top of a test file, `t.test(title, …)` as a rule, each a promise to
 * the user; not the assertions in it. A file that crashes, hangs or holds no test counts as one failed test; a test
 * marked `todo` counts as skipped.
 */

/** Reports the files that a parser of TAP reads; the counts are complete once the parser has ended. */
export function report(parser) {
  const count = { passed: 0, failed: 0, skipped: 0 }
  const tests = new Map()
  const failures = new Map()
  parser.on('child', (file) => {
    tests.set(file.name, [])
    file.on('assert', (test) => tests.get(file.name).push(test))
    failures.set(file.name, watch(file, ''))
  })
  parser.on('assert', (file) => {
    const results = tests.get(file.name) ?? []
    const failed = results.filter(isFailure)
    const skipped = results.filter((test) => test.skip || test.todo)
    const broken = failed.length === 0 && (isFailure(file) || file.skip === 'no tests found')
    count.passed += results.length - failed.length - skipped.length
    count.failed += broken ? 1 : failed.length
    count.skipped += skipped.length

    const output = file.diag?.expired ?? file.name
    const source = output.replace(/^build\//, '').replace(/\.js$/, '.ts')
    console.log(`${broken || failed.length > 0 ? '✗' : '✓'} ${source} (${results.length})`)
    for (const test of skipped) console.log(`  - ${test.name}${reason(test)}`)
    for (const { path, diag } of failures.get(file.name) ?? []) printFailure(path, diag)
    if (broken) printFailure('the file holds no test, ended early or hung', file.diag)
  })
  return count
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

function printFailure(path, diag) {
  console.log(`  ✗ ${path}`)
  if (diag) console.log(describe(diag).replaceAll(/^/gm, '      '))
}

/** The facts of a failure, the most telling first. */
function describe({ source, diff, at, stack, ...others }) {
  const place = at?.fileName && `at ${at.fileName}:${at.lineNumber}`
  const facts = Object.entries(others).map(([key, value]) => `${key}: ${JSON.stringify(value)}`)
  return [source?.trimEnd(), diff?.trimEnd(), ...facts, stack?.trimEnd() ?? place].filter(Boolean).join('\n')
}
