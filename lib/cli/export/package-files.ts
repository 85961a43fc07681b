import { existsSync, readFileSync } from 'node:fs'
import { basename, isAbsolute, join, posix } from 'node:path'

/** What the packages of a system are installed from, where it is built as an image: its folder is all that is seen there. */
export interface PackageFiles {
  /** Packages that come from a file or folder within it, by their paths relative to it. */
  readonly within: readonly string[]
  /** What keeps the image from being built, a line each, with what to do. */
  readonly problems: readonly string[]
}

/** Looks at the `package.json` of a folder, and for the lock file that goes with it. */
export function packageFiles(folder: string): PackageFiles {
  const files = Object.entries(dependenciesOf(folder)).flatMap(([name, source]) => {
    const [, path] = typeof source === 'string' ? (/^file:(.+)$/.exec(source) ?? []) : []
    return path === undefined ? [] : [{ name, path: posix.normalize(path) }]
  })
  const isWithin = ({ path }: { readonly path: string }) => !isAbsolute(path) && !path.startsWith('..')
  return {
    within: files.filter(isWithin).map(({ path }) => path),
    problems: [
      ...(existsSync(join(folder, 'package-lock.json')) ? [] : [noLock]),
      ...files.filter((one) => !isWithin(one)).map(({ name, path }) => beyond(name, path)),
    ],
  }
}

const noLock =
  "There is no package-lock.json beside the description, which the Dockerfile copies: 'npm install' makes it."

function beyond(name: string, path: string): string {
  const facts = `${name} comes from file:${path}, which the image cannot see`
  if (!/\.t(ar\.)?gz$/.test(path)) return `${facts}: pack it here, npm pack ${path}, and npm install the file`
  return `${facts}: put that file beside the description, and run npm install ./${basename(path)}`
}

/** Those that are installed in an image, by their names; none where there is no file that says so. */
function dependenciesOf(folder: string): object {
  try {
    const { dependencies, optionalDependencies } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
    return { ...dependencies, ...optionalDependencies }
  } catch {
    return {} // npm says what is wrong with it
  }
}
