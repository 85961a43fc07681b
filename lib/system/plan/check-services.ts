import type { Group, Service } from '../system.js'
import { errorOf, type Finding, warningOf } from './finding.js'
import type { Layout } from './layout.js'
import { quoted, spoken } from './words.js'

/** Checks that each service can be loaded, is placed, as often as it may be, with what it needs before it. */
export function checkServices(layout: Layout): Finding[] {
  const { system, offers } = layout
  const failed = offers.failures.map(({ service, message }) =>
    errorOf('LOAD_FAILED', `${system.plugins.has(service) ? 'plugins' : 'services'}.${service}`, message),
  )
  const placed = [...system.services.values()].flatMap((service) => checkPlaces(service, layout))
  return [...failed, ...placed]
}

function checkPlaces(service: Service, layout: Layout): Finding[] {
  const { name } = service
  const { deployment } = layout
  const groups = layout.groups.filter(({ services }) => services.includes(name))
  const where = `deployments.${deployment.name}.groups`
  if (groups.length === 0) return [warningOf('SERVICE_NOWHERE', where, `${quoted(name)} is in no group.`)]
  const needs = layout.offers.needs.get(name) ?? []
  return [
    ...(service.singleton ? checkSingle(name, groups, where) : []),
    ...groups.flatMap((group) => checkNeeds(name, needs, group, where)),
  ]
}

function checkSingle(name: string, groups: readonly Group[], where: string): Finding[] {
  const several = groups.filter(({ replicas }) => replicas > 1)
  const findings = several.map((group) =>
    errorOf(
      'SINGLETON_REPLICATED',
      `${where}.${group.name}.replicas`,
      `There is to be one ${quoted(name)}, and its group ${quoted(group.name)} has ${group.replicas} replicas.`,
    ),
  )
  if (groups.length === 1) return findings
  const names = spoken(groups.map((group) => group.name))
  return [
    ...findings,
    errorOf('SINGLETON_REPLICATED', where, `There is to be one ${quoted(name)}, and it is in the groups ${names}.`),
  ]
}

function checkNeeds(name: string, needs: readonly string[], group: Group, where: string): Finding[] {
  const before = group.services.slice(0, group.services.indexOf(name))
  return needs
    .filter((need) => !before.includes(need))
    .map((need) =>
      errorOf(
        'NEED_MISSING',
        `${where}.${group.name}`,
        `${quoted(name)} needs ${quoted(need)} before it in its process, and the group ${quoted(group.name)} does not have it there.`,
      ),
    )
}
