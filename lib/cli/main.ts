#!/usr/bin/env node
import { exitCodes } from './exit-codes.js'
import { processIo } from './io.js'
import { run } from './program.js'

/** Milliseconds that whatever was left open is given after the command has ended. */
const LINGER_MS = 500

// `lucilius list | head -1`: whoever read has gone, so there is nobody left to tell.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? exitCodes.done.code : exitCodes.failed.code)
})

process.exitCode = await run(process.argv.slice(2), processIo())
// A service may have left a timer or a socket open: the command is over all the same.
setTimeout(() => process.exit(), LINGER_MS).unref()
