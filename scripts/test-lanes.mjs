/**
 * In which order the files of tests are run, and which of them beside the others.
 *
 * A file that waits most of its time, for a broker, a timeout or another process, leaves its core to others: such files
 * have a lane of their own beside those of the cores, one after the other. In both the longest begin, so that none is
 * left alone at the end.
 */

/**
 * The files that take long, with the seconds that they take on two cores and the seconds of a core that they and their
 * processes compute, as `perf stat -e task-clock node build/test/….test.js` has it.
 */
const measured = {
}

/** A file that computes for less than this part of its time waits. */
const BUSY = 0.65

/** Parts the paths of compiled tests. */
export function lanesOf(files) {
  const known = (file) => measured[file.replace(/^build\/test\//, '').replace(/\.test\.js$/, '')] ?? [0, 0]
  const waits = (file) => {
    const [seconds, computed] = known(file)
    return computed < seconds * BUSY
  }
  const sorted = files.toSorted((one, other) => known(other)[0] - known(one)[0])
  return { waiting: sorted.filter(waits), working: sorted.filter((file) => !waits(file)) }
}
