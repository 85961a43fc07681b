import { didYouMean } from '../did-you-mean.js'
import { LuciliusError } from '../errors.js'
import { plainDeployment, plainGroup } from '../system/plain-deployment.js'
import type { Deployment, System } from '../system/system.js'

/** How a system under test is spread. */
export type Shape = 'local' | 'parity' | 'split'

const SHAPES: readonly Shape[] = ['local', 'parity', 'split']

/** The group whose app a test acts as. */
export const TESTER = '(test)'

/** Reads the option. Throws `LUC_OPTIONS_INVALID`. */
export function toShape(shape: unknown = 'parity'): Shape {
  const known = SHAPES.find((one) => one === shape)
  if (known !== undefined) return known
  throw new LuciliusError('LUC_OPTIONS_INVALID', `testSystem: 'shape' is one of ${SHAPES.join(', ')}.`)
}

/** The services that a test wants. Throws `LUC_OPTIONS_INVALID` for a name that is none. */
export function chosenServices(system: System, only: readonly string[] | undefined): readonly string[] {
  const known = [...system.services.keys()]
  if (only === undefined) return known
  for (const name of only) {
    if (system.services.has(name)) continue
    const facts = `testSystem.only: there is no service '${name}'`
    throw new LuciliusError('LUC_OPTIONS_INVALID', `${facts}: ${didYouMean(name, known)}`)
  }
  return known.filter((name) => only.includes(name))
}

/** The deployment of a test: one process for all, or one for each service and one to ask from. No doors. */
export function deploymentOf(shape: Shape, services: readonly string[]): Deployment {
  const groups =
    shape === 'split'
      ? [...services.map((name) => plainGroup(name, [name])), plainGroup(TESTER, [])]
      : [plainGroup(TESTER, services)]
  return plainDeployment(shape, groups)
}
