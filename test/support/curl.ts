import { execFile, spawnSync } from 'node:child_process'

/** Runs a line that calls curl as a shell does, or the same request where there is no curl. Gives what it prints. */
export async function curl(line: string): Promise<string> {
  const [name, ...words] = wordsOf(line)
  if (name !== 'curl') throw new Error(`This does not call curl: ${line}`)
  if (spawnSync('curl', ['--version']).status !== 0) return request(words)
  return new Promise((resolve, reject) => {
    execFile('curl', ['--silent', '--show-error', ...words], { timeout: 10_000 }, (error, stdout) =>
      error === null ? resolve(stdout) : reject(error),
    )
  })
}

/** Words as a shell splits them, as far as single quotes go. */
function wordsOf(line: string): string[] {
  return [...line.matchAll(/'([^']*)'|[^\s']+/g)].map(([word, quoted]) => quoted ?? word)
}

async function request(words: readonly string[]): Promise<string> {
  const after = (flag: string) => words.flatMap((word, index) => (words[index - 1] === flag ? [word] : []))
  const url = words.find((word) => word.startsWith('http')) ?? ''
  const headers = after('-H').map((header) => header.split(/: /, 2) as [string, string]) // `name: value`
  const [body] = after('-d')
  const response = await fetch(url, body === undefined ? { headers } : { headers, method: 'POST', body })
  return response.text()
}
