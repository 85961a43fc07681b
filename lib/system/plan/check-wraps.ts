import { covers } from '../../covers.js'
import { type Finding, warningOf } from './finding.js'
import type { Layout } from './layout.js'
import { quoted, who } from './words.js'

/** Finds wraps of services that will not follow actions of other services into their processes. */
export function checkWraps(layout: Layout): Finding[] {
  const findings: Finding[] = []
  for (const [service, { wraps }] of layout.offers.services) {
    const here = layout.groupsOf(service)
    if (here.length === 0) continue
    for (const wrap of wraps) {
      const lost = layout.actions.find(
        ({ owner, pattern }) => covers(wrap, pattern) && layout.groupsOf(owner).some((group) => !here.includes(group)),
      )
      if (lost === undefined) continue
      const what = wrap.text === '' ? 'every action' : quoted(wrap.text)
      const groups = layout.groupsOf(lost.owner).filter((group) => !here.includes(group))
      findings.push(
        warningOf(
          'FOREIGN_WRAP',
          `services.${service}`,
          `The wrap of ${quoted(service)} around ${what} covers ${who(lost)}, and does not run in the group ${quoted(groups[0]?.name ?? '')}.`,
        ),
      )
    }
  }
  return findings
}
