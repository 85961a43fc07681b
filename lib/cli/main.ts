#!/usr/bin/env node
import type { CommandName } from './commands.js'
import { exitCodes } from './exit-codes.js'
import { processIo } from './io.js'
import { run } from './program.js'

/** Milliseconds that whatever was left open is given after the command has ended. */
const LINGER_MS = 500

const { done, failed, interrupted, terminated } = exitCodes

/** What runs until it is told to end. */
const lasting: readonly string[] = ['dev', 'up', 'start'] satisfies CommandName[]
const argv = process.argv.slice(2)

// `lucilius list | head -1`: whoever read has gone, so there is nobody left to tell. What serves others goes on unread.
process.stdout.on('error', ({ code }: NodeJS.ErrnoException) => {
  if (!lasting.includes(argv[0] ?? '')) process.exit(code === 'EPIPE' ? done.code : failed.code)
})
process.stderr.on('error', () => {})

// Whatever ended it at once, whoever gave the second signal is told what it did.
process.on('exit', (code) => {
  if (code !== interrupted.code && code !== terminated.code) return
  process.stderr.write('lucilius: ended at once by a second signal, before the drain was over.\n')
})

process.exitCode = await run(argv, processIo())
// A service may have left a timer or a socket open: the command is over all the same.
setTimeout(() => process.exit(), LINGER_MS).unref()
