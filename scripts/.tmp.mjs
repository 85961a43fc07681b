const { underFaults, broken, failedForNothing } = await import('../build-equiv/test/faults/faults.js')
const seed = Number(process.argv[4] ?? 3)
const r = await underFaults({ transport: process.argv[2], seconds: Number(process.argv[3]), seed })
console.log(process.argv[2], r, r.flatMap(broken), r.map(failedForNothing))
