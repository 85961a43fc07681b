/** Prints what became of calls: a row for each kind, then with what they failed and what happened then. */
export function printTallies(tallies) {
  console.table(Object.fromEntries(tallies.map(toRow)))
  for (const { kind, failed, failedDuring } of tallies) {
    print(`${kind}, failed with`, failed)
    print(`${kind}, failed during`, failedDuring)
  }
}

function toRow({ kind, calls, ok, failed, lost, hung, twice, wrong, denied }) {
  const failures = [...failed.values()].reduce((sum, count) => sum + count, 0)
  const name = kind === 'once' ? 'at most once' : 'idempotent'
  return [name, { calls, ok, failed: failures, lost, hung, 'done twice': twice, 'wrong reply': wrong, denied }]
}

function print(what, counts) {
  for (const [key, count] of counts) if (key !== '') console.log(`  ${what} ${key}: ${count}`)
}
