// How long the compiler takes over 500 registered patterns and 500 calls. Fails above 4 s of check time.
//   node bench/types.mjs
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const patterns = 500
const calls = 500
const limit = 4
const rounds = 3

const root = fileURLToPath(new URL('..', import.meta.url))
const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc')
const folder = mkdtempSync(join(tmpdir(), 'lucilius-types-'))

try {
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
  writeFileSync(join(folder, 'calls.ts'), source())
  writeFileSync(join(folder, 'tsconfig.json'), config())
  const figures = Array.from({ length: rounds }, checkTime)
  const best = Math.min(...figures) // the least disturbed round: the same work each time
  console.log(
    `${patterns} patterns, ${calls} calls: ${best} s of check time (rounds: ${figures.join(', ')}; limit ${limit} s)`,
  )
  process.exitCode = best > limit ? 1 : 0
} finally {
  rmSync(folder, { recursive: true })
}

/** Services of ten commands, each with a special case; patterns, whole messages and split messages are called in turn. */
function source() {
  const pattern = (i) => {
    const role = `role:service${Math.floor(i / 20)}`
    const command = `cmd:command${Math.floor(i / 2) % 10}`
    return i % 2 ? `${role},${command},kind:special` : `${role},${command}`
  }
  const call = (i) => {
    const [role, cmd, kind] = pattern(i)
      .split(',')
      .map((pair) => pair.split(':')[1])
    const kindPair = kind ? `, kind: '${kind}'` : ''
    const message = `id: ${i}, name: text`
    const forms = [
      `app.act('${pattern(i)}', { ${message} })`,
      `app.act('${pattern(i).split(',').reverse().join(', ')}', { ${message} }, { timeoutMs: 100 })`,
      `app.act({ role: '${role}', cmd: '${cmd}'${kindPair}, ${message} })`,
      `app.act('role:${role}', { cmd: '${cmd}'${kindPair}, ${message} })`,
    ]
    return `  const reply${i}: number = (await ${forms[Math.floor(i / 2) % forms.length]}).reply${i}`
  }
  return [
    `import type { Typed } from '${join(root, 'lib/typed/typed.js')}'`,
    'interface Api {',
    ...Array.from(
      { length: patterns },
      (_, i) => `  '${pattern(i)}'(message: { id: number; name: string }): { reply${i}: number }`,
    ),
    '}',
    'declare const app: Typed<Api>',
    'declare const text: string',
    'export async function run() {',
    ...Array.from({ length: calls }, (_, i) => call(i % patterns)),
    '}',
  ].join('\n')
}

function config() {
  return JSON.stringify({
    extends: join(root, 'tsconfig.json'),
    compilerOptions: {
      noEmit: true,
      composite: false,
      incremental: false,
      noUnusedLocals: false,
      rootDir: '/',
      typeRoots: [join(root, 'node_modules/@types')],
    },
    include: ['calls.ts'],
    exclude: [],
  })
}

function checkTime() {
  const { stdout, status } = spawnSync(process.execPath, [tsc, '-p', folder, '--extendedDiagnostics'], {
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(`The calls do not type-check:\n${stdout}`)
  return Number(/Check time:\s+([\d.]+)s/.exec(stdout)?.[1])
}
