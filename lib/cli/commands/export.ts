import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { didYouMean } from '../../did-you-mean.js'
import { LuciliusError } from '../../errors.js'
import { descriptionFolder } from '../../system/loading/description-folder.js'
import { loadSystem } from '../../system/loading/load-system.js'
import type { Deployment, System } from '../../system/system.js'
import { CommandError } from '../errors.js'
import { exitCodes } from '../exit-codes.js'
import { composeFile } from '../export/compose.js'
import { dockerfile, dockerignore } from '../export/image.js'
import { kubernetesFile } from '../export/kubernetes.js'
import { packageFiles } from '../export/package-files.js'
import { type Site, siteOf } from '../export/site.js'
import { systemdFiles } from '../export/systemd.js'
import type { Io } from '../io.js'
import { harmlessText, oneLine } from '../print/harmless-text.js'

/** Options of `lucilius export`. */
export interface ExportOptions {
  /** The description, instead of the one in the folder. */
  readonly config?: string
  /** The folder to write to, instead of `deploy/<platform>` beside the description. */
  readonly out?: string
  /** Write over files that are there and say something else. */
  readonly force?: boolean
}

/** What files of a platform there are, by their paths in `deploy/<platform>`. */
const platforms: { readonly [name: string]: (site: Site) => ReadonlyMap<string, string> } = {
  compose: (site) => new Map([['compose.yaml', composeFile(site)], ...image(site)]),
  kubernetes: (site) => new Map([['manifest.yaml', kubernetesFile(site)], ...image(site)]),
  systemd: systemdFiles,
}

const image = (site: Site): [string, string][] => [
  ['Dockerfile', dockerfile(site)],
  ['Dockerfile.dockerignore', dockerignore(site)],
]

/** Writes what another platform needs to run a deployment, as a person would: to be read, kept and changed. */
export async function exportTo(
  [platform = '', name = '']: readonly string[],
  { config, out, force = false }: ExportOptions,
  { cwd, stdout, stderr }: Io,
): Promise<number> {
  const write = Object.hasOwn(platforms, platform) ? platforms[platform] : undefined
  if (write === undefined)
    throw new CommandError(
      'usage',
      `There is no platform '${platform}': ${didYouMean(platform, Object.keys(platforms))}`,
    )
  const loaded = await loadSystem({ cwd, config })
  const folder = descriptionFolder(loaded)
  const place = out === undefined ? join(folder, 'deploy', platform) : resolve(cwd, out)
  const files = write(siteOf(loaded, deploymentOf(name, loaded.system), place))
  if (!force) refuseToOverwrite(place, files)
  mkdirSync(place, { recursive: true })
  for (const [path, text] of files) {
    writeFileSync(join(place, path), text)
    stdout.write(`${harmlessText(relative(cwd, join(place, path)))}\n`)
  }
  // What has no Dockerfile is not built.
  const problems = files.has('Dockerfile') ? packageFiles(folder).problems : []
  for (const problem of problems) stderr.write(`lucilius: ${oneLine(problem)}\n`)
  return exitCodes.done.code
}

/** What somebody has changed is theirs. */
function refuseToOverwrite(place: string, files: ReadonlyMap<string, string>): void {
  for (const [path, text] of files) {
    const target = resolve(place, path)
    if (!existsSync(target) || readFileSync(target, 'utf8') === text) continue
    throw new CommandError(
      'failed',
      `'${target}' is there and says something else. Move it away, or write over it with --force.`,
    )
  }
}

function deploymentOf(name: string, { deployments }: System): Deployment {
  const found = deployments.get(name)
  if (found !== undefined) return found
  throw new LuciliusError(
    'LUC_OPTIONS_INVALID',
    `There is no deployment '${name}': ${didYouMean(name, deployments.keys())}`,
  )
}
