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
  'store/amqp-store': [29, 19],
  'cli/up-faults': [25, 21],
  'cli/dev': [25, 19],
  'examples/walkthrough': [19, 22],
  'cli/packed': [17, 17],
  'examples/orders': [16, 11],
  'cli/up': [15, 15],
  'conformance/amqp': [15, 12],
  'transports/amqp/amqp': [15, 9],
  'docs/docs': [14, 19],
  'examples/split': [14, 13],
  'transports/websocket/faults': [13, 8],
  'conformance/http': [13, 8],
  'system/supervise': [12, 7],
  'examples/message-port-conformance': [12, 3],
  'conformance/nats': [11, 7],
  'store/jetstream': [10, 4],
  'system/start': [10, 8],
  'store/jetstream-own': [10, 3],
  'examples/currency': [9, 5],
  'chaos/chaos': [9, 10],
  'store/embedded': [9, 6],
  'cli/up-nats': [9, 8],
  'transports/faults': [9, 9],
  'cli/up-end': [8, 9],
  'conformance/in-process': [8, 3],
  'conformance/websocket': [8, 4],
  'examples/curl': [8, 4],
  'transports/http/bad-inputs': [7, 1],
  'package/package': [6, 5],
  'readme/readme': [6, 6],
  'conformance/placement': [5, 6],
  'transports/nats/nats': [5, 3],
  'cli/new': [5, 5],
  'router/router': [5, 4],
  'system/namespaces': [5, 2],
  'cli/repl': [4, 2],
  'mail/lines': [4, 1],
  'system/dns': [4, 0],
  'examples/lan': [4, 3],
  'typed/type-errors': [4, 5],
  'cli/dev-watch': [4, 0],
}

/** A file that computes for less than this part of its time waits. */
const BUSY = 0.7

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
