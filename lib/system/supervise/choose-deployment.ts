import { didYouMean } from '../../did-you-mean.js'
import { invalid } from '../invalid.js'
import type { Deployment, System } from '../system.js'
import { wholeSystem } from '../topology.js'

/**
 * The deployment of a name; without one the only one, else the one named `default`, else, if none is described, one
 * process with all services. Throws `LUC_OPTIONS_INVALID` listing what there is.
 */
export function chooseDeployment(system: System, name: string | undefined): Deployment {
  const { deployments } = system
  const known = [...deployments.keys()]
  if (name === undefined) {
    const chosen = deployments.size === 1 ? deployments.values().next().value : deployments.get('default')
    if (chosen !== undefined) return chosen
    if (deployments.size === 0) return wholeSystem(system)
    throw invalid(`There are several deployments: name one of ${known.join(', ')}, or call one 'default'.`)
  }
  const found = deployments.get(name)
  if (found !== undefined) return found
  throw invalid(`There is no deployment '${name}': ${didYouMean(name, known)}`)
}
