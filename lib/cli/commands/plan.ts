import { resolve } from 'node:path'
import { didYouMean } from '../../did-you-mean.js'
import { LuciliusError } from '../../errors.js'
import { readEnvironment } from '../../system/environment.js'
import { type Loaded, loadSystem } from '../../system/loading/load-system.js'
import { isInstalled } from '../../system/plan/check-brokers.js'
import { descriptionFindings } from '../../system/plan/description-findings.js'
import type { Finding } from '../../system/plan/finding.js'
import { loadOffers } from '../../system/plan/load-offers.js'
import { planDeployment } from '../../system/plan/plan.js'
import type { Plan } from '../../system/plan/planned.js'
import { readRecording } from '../../system/recording.js'
import type { Deployment, System } from '../../system/system.js'
import { wholeSystem } from '../../system/topology.js'
import { exitCodes } from '../exit-codes.js'
import type { Io } from '../io.js'
import { harmlessText, oneLine } from '../print/harmless-text.js'
import { toJson } from '../print/json.js'
import { findingLines, planLines } from '../print/plan.js'
import { consoleToStderr } from '../reach/services-console.js'

/** Options of `lucilius plan`. */
export interface PlanCommandOptions {
  /** The description, instead of the one in the folder. */
  readonly config?: string
  /** A recorded run, whose messages are checked, too. */
  readonly fromTrace?: string
  /** Print JSON. */
  readonly json?: boolean
  /** Warnings count as errors. */
  readonly strict?: boolean
}

/** Checks a deployment, or all, and prints what they will do. Fails if there is an error among the findings. */
export async function plan([name]: readonly string[], options: PlanCommandOptions, io: Io): Promise<number> {
  const restore = consoleToStderr()
  try {
    const { plans, findings, frames } = await plansOf(name, options, io)
    if (options.json === true) io.stdout.write(`${toJson({ plans, findings }, io.isTty ? 2 : 0)}\n`)
    else print(plans, findings, io)
    if (io.isErrorTty)
      for (const frame of frames) io.stderr.write(`${frame.split('\n').map(harmlessText).join('\n')}\n`)
    const all = [...findings, ...plans.flatMap((one) => one.findings)]
    const wrong = all.some(({ level }) => level === 'error' || options.strict === true)
    return (wrong ? exitCodes.failed : exitCodes.done).code
  } finally {
    restore()
  }
}

interface Plans {
  readonly plans: readonly Plan[]
  /** What was found before there was anything to plan. */
  readonly findings: readonly Finding[]
  readonly frames: readonly string[]
}

async function plansOf(
  name: string | undefined,
  options: PlanCommandOptions,
  { cwd, env, stderr }: Io,
): Promise<Plans> {
  const environment = readEnvironment(env)
  for (const warning of environment.warnings) stderr.write(`lucilius: ${oneLine(warning)}\n`)
  const recording = options.fromTrace === undefined ? [] : await readRecording(resolve(cwd, options.fromTrace))
  let loaded: Loaded
  try {
    loaded = await loadSystem({ cwd, config: options.config })
  } catch (error) {
    const findings = descriptionFindings(error)
    if (findings === undefined) throw error
    return { plans: [], findings, frames: [] }
  }
  const { system } = loaded
  const deployments = chosen(name, system)
  const offers = await loadOffers(loaded)
  return {
    plans: deployments.map((deployment) =>
      planDeployment({ system, deployment, offers, environment, recording, isInstalled }),
    ),
    findings: [],
    frames: offers.failures.flatMap(({ frame }) => frame ?? []),
  }
}

/** The deployment of that name; without a name all, or one process with everything where none is described. */
function chosen(name: string | undefined, system: System): readonly Deployment[] {
  const { deployments } = system
  if (name === undefined) return deployments.size > 0 ? [...deployments.values()] : [wholeSystem(system)]
  const found = deployments.get(name)
  if (found !== undefined) return [found]
  throw new LuciliusError(
    'LUC_OPTIONS_INVALID',
    `There is no deployment '${name}': ${didYouMean(name, deployments.keys())}`,
  )
}

function print(plans: readonly Plan[], findings: readonly Finding[], { stdout, color }: Io): void {
  const parts = [
    ...plans.map((one) => planLines(one, color)),
    ...(findings.length > 0 ? [findingLines(findings, color)] : []),
  ]
  stdout.write(`${parts.map((lines) => lines.join('\n')).join('\n\n')}\n`)
}
