// `lucilius` as it is where a person reads stderr, though it is a pipe.
import { processIo } from '../../lib/cli/io.js'
import { run } from '../../lib/cli/program.js'

process.exit(await run(process.argv.slice(2), { ...processIo(), isErrorTty: true }))
